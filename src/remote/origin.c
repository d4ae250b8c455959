/* origin - as whom mail of a sender leaves. */
#include "remote/origin.h"

#include <string.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "mail/addr5321.h"

/* false: no address.  0.0.0.0 and :: stand for any. */
static bool
take_address(struct origin *o, struct span text)
{
	static const unsigned char any[sizeof o->v4.bytes];
	struct ip ip, *to;

	if (!ip_parse(text, &ip) && !ip_parse_literal(text, &ip))
		return false;
	to = ip.family == IP_V4 ? &o->v4 : &o->v6;
	*to = ip;
	if (memcmp(ip.bytes, any, sizeof any) == 0)
		to->family = IP_NONE;
	return true;
}

/* Whole lines are addresses for all; an IPv6 address is not taken for a domain. */
static bool
take_line(struct origin *o, struct span line, struct span domain, bool own)
{
	struct origin all = { .v4 = { IP_NONE, { 0 } } };
	size_t colon = span_chr(line, ':');

	if (take_address(&all, line))
		return own || take_address(o, line);
	if (colon == line.n)
		return false;
	if (!own || !ascii_ieq(span_head(line, colon), domain))
		return true;
	return take_address(o, span_tail(line, colon + 1));
}

/* First the lines for all, then those of the domain. */
bool
origin_outgoingip(struct origin *o, const struct buf *text, struct span sender)
{
	struct span domain = addr5321_domain(sender), line;

	for (int own = 0; own < 2; own++)
		for (size_t pos = 0; ctl_next(text, &pos, &line);)
			if (!take_line(o, line, domain, own))
				return false;
	return true;
}

/* `address[%if][|helo]`; an entry may have a name alone. */
static bool
take_entry(struct origin *o, struct span value)
{
	struct span address = span_head(value, span_chr(value, '|'));
	struct span helo = span_tail(value, address.n + 1);

	address = span_head(address, span_chr(address, '%'));
	if (helo.n)
		o->helo = helo;
	return ascii_all_graph(helo) && (address.n ? take_address(o, address) : helo.n > 0);
}

bool
origin_domainips(struct origin *o, const struct buf *text, struct span sender)
{
	struct span domain = addr5321_domain(sender), line, key;

	for (int own = 0; own < 2; own++)
		for (size_t pos = 0; ctl_next(text, &pos, &line);) {
			key = span_head(line, span_chr(line, ':'));
			if (!ascii_ieq(key, own ? domain : span_str("*")))
				continue;
			if (!take_entry(o, span_tail(line, key.n + 1)))
				return false;
		}
	return true;
}

const struct ip *
origin_for(const struct origin *o, const struct ip *to)
{
	const struct ip *from = to->family == IP_V4 ? &o->v4 : &o->v6;

	return from->family == IP_NONE ? NULL : from;
}
