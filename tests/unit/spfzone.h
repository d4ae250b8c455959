/* spfzone - DNS as a table, for tests of SPF: lines `NAME TYPE DATA`, e.g.
 *	a.ex TXT v=spf1 -all
 *	a.ex A 192.0.2.1			also AAAA, CNAME; MX `10 mail.ex`
 *	192.0.2.1 PTR a.ex
 * DATA `!` is a server that does not answer.  A name without a line does not exist. */
#ifndef SPFZONE_H
#define SPFZONE_H

#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/num.h"
#include "spf/check.h"
#include "tap.h"

struct zone {
	const char *lines;
	unsigned asked;		/* questions of this check so far */
	unsigned patience;	/* so many are answered, 0: all; then the time is over */
};

struct zone_reader {
	struct span left, name, type;
	unsigned aliases;
};

static inline struct span
zone_word(struct span *line)
{
	size_t n = 0;
	struct span word;

	while (n < line->n && line->p[n] != ' ')
		n++;
	word = span_head(*line, n);
	*line = span_tail(*line, n + 1);
	return word;
}

/* The next record of that name and type; follows aliases. */
static inline bool
zone_next(const struct zone *z, struct zone_reader *r, struct span *data)
{
	while (r->left.n) {
		struct span line = span_head(r->left, span_chr(r->left, '\n'));
		struct span name, type;

		r->left = span_tail(r->left, line.n + 1);
		name = zone_word(&line);
		type = zone_word(&line);
		if (!ascii_ieq(name, r->name))
			continue;
		if (span_eq(type, span_str("CNAME")) && ++r->aliases < 10) {
			r->name = line;
			r->left = span_str(z->lines);
			continue;
		}
		*data = line;
		if (span_eq(type, r->type))
			return true;
	}
	return false;
}

static inline struct zone_reader
zone_ask(struct zone *z, struct span name, const char *type)
{
	z->asked++;
	return (struct zone_reader){ .left = span_str(z->lines), .name = name,
		.type = span_str(type) };
}

static inline void
zone_begin(void *arg)
{
	struct zone *z = arg;

	z->asked = 0;
}

static inline bool
zone_over(const struct zone *z)
{
	return z->patience && z->asked > z->patience;
}

static inline bool
zone_silent(struct span data)
{
	return span_eq(data, span_str("!"));
}

static inline enum dns_status
zone_texts(struct zone *z, struct span name, const char *type, struct buf *texts)
{
	struct zone_reader r = zone_ask(z, name, type);
	struct span data;

	buf_reset(texts);
	if (zone_over(z))
		return DNS_SOFT;
	while (zone_next(z, &r, &data)) {
		if (zone_silent(data))
			return DNS_SOFT;
		buf_addspan(texts, data);
		buf_addc(texts, '\0');
	}
	return texts->n ? DNS_OK : DNS_ABSENT;
}

static inline enum dns_status
zone_txt(void *arg, struct span name, struct buf *texts)
{
	return zone_texts(arg, name, "TXT", texts);
}

static inline enum dns_status
zone_ptr(void *arg, const struct ip *ip, struct buf *names)
{
	char text[IP_TEXT_SIZE];

	return zone_texts(arg, span_str(ip_format(ip, text)), "PTR", names);
}

static inline enum dns_status
zone_family(void *arg, struct span name, enum ip_family family, struct ip_list *to)
{
	struct zone_reader r = zone_ask(arg, name, family == IP_V4 ? "A" : "AAAA");
	struct span data;
	struct ip ip;

	if (zone_over(arg))
		return DNS_SOFT;
	while (zone_next(arg, &r, &data)) {
		if (zone_silent(data) || !ip_parse(data, &ip))
			return DNS_SOFT;
		if (ip_list_add(to, &ip) == -1)
			return DNS_MEMORY;
	}
	return to->n ? DNS_OK : DNS_ABSENT;
}

static inline enum dns_status
zone_mx(void *arg, struct span name, struct dns_mx_list *to)
{
	struct zone_reader r = zone_ask(arg, name, "MX");
	struct span data;

	if (zone_over(arg))
		return DNS_SOFT;
	while (zone_next(arg, &r, &data)) {
		if (zone_silent(data))
			return DNS_SOFT;
		(void)zone_word(&data);
		if (dns_mx_add(to, 10, data) != DNS_OK)
			return DNS_MEMORY;
	}
	return to->n ? DNS_OK : DNS_ABSENT;
}

static inline struct spf_resolver
zone_resolver(struct zone *z)
{
	return (struct spf_resolver){ zone_begin, zone_txt, zone_family, zone_mx, zone_ptr, z };
}

#endif
