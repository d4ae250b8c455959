/* ipme - is an address this host? */
#include "net/ipme.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/ctl.h"
#include "lib/num.h"

#define V4_BITS 32U
#define V6_BITS 128U

/* 255.255.255.0 is 24.  false: bits after a gap. */
static bool
mask_bits(const struct ip *mask, unsigned *bits)
{
	unsigned n = 0;
	bool gap = false;

	for (unsigned i = 0; i < V4_BITS; i++) {
		bool set = mask->bytes[i / 8] & 0x80U >> i % 8;

		if (set && gap)
			return false;
		gap = gap || !set;
		n += set ? 1 : 0;
	}
	*bits = n;
	return true;
}

bool
ipme_parse_net(struct span text, struct ipme_net *net)
{
	size_t slash = span_chr(text, '/');
	struct span length = span_tail(text, slash + 1);
	struct ip mask;
	uint64_t number;

	if (!ip_parse(span_head(text, slash), &net->ip) ||
	    ip_unmapped(&net->ip).family != net->ip.family)
		return false;
	net->bits = net->ip.family == IP_V4 ? V4_BITS : V6_BITS;
	if (slash == text.n)
		return true;
	if (num_parse_u64(length.p, length.n, net->bits, &number) == NUM_OK) {
		net->bits = (unsigned)number;
		return true;
	}
	return net->ip.family == IP_V4 && ip_parse(length, &mask) && mask.family == IP_V4 &&
	    mask_bits(&mask, &net->bits);
}

static int
add_net(struct ipme *me, const struct ipme_net *net)
{
	if (me->n == me->size) {
		size_t size = me->size ? me->size : 8, bytes;
		struct ipme_net *nets;

		if ((me->size && num_mul(size, 2, &size)) || num_mul(size, sizeof *nets, &bytes) ||
		    !(nets = realloc(me->nets, bytes))) {
			errno = ENOMEM;
			return -1;
		}
		me->nets = nets;
		me->size = size;
	}
	me->nets[me->n++] = *net;
	return 0;
}

int
ipme_add(struct ipme *me, const struct buf *list, bool is_me)
{
	struct span line;
	size_t pos = 0;

	while (ctl_next(list, &pos, &line)) {
		struct ipme_net net = { .is_me = is_me };

		if (ipme_parse_net(line, &net) && add_net(me, &net) == -1)
			return -1;
	}
	return 0;
}

int
ipme_own(struct ipme *me)
{
	return ip_own(&me->own);
}

/* -1: the file cannot be read, or memory. */
static int
take(struct ipme *me, enum ctl_status status, const struct buf *list, bool is_me)
{
	if (status == CTL_FOUND)
		return ipme_add(me, list, is_me);
	return status == CTL_ABSENT ? 0 : -1;
}

enum ipme_status
ipme_read(struct ipme *me, const struct ctlnames *names)
{
	struct buf list = BUF_CAP(CTL_FILE_MAX);
	const char *unread = NULL;
	int error;

	if (ipme_own(me) == -1)
		return IPME_SYSTEM;
	if (ctlnames_may_have(names, "moreipme") &&
	    take(me, ctl_list("moreipme", &list), &list, true) == -1)
		unread = "moreipme";
	else if (ctlnames_may_have(names, "notipme") &&
	    take(me, ctl_list("notipme", &list), &list, false) == -1)
		unread = "notipme";
	error = errno;
	buf_free(&list);
	if (!unread)
		return IPME_OK;
	ipme_free(me);
	me->unread = unread;
	errno = error;
	return IPME_CONTROLS;
}

/* The longest network of each kind that fits, plus one, as one of 0 bits fits as well; 0: none. */
struct longest {
	unsigned is_me, is_not;
};

static struct longest
find_longest(const struct ipme *me, const struct ip *ip)
{
	struct ip plain = ip_unmapped(ip);
	unsigned all = plain.family == IP_V4 ? V4_BITS : V6_BITS;
	struct longest found = { .is_me = ip_list_has(&me->own, ip) ? all + 1 : 0 };

	for (size_t i = 0; i < me->n; i++) {
		const struct ipme_net *net = &me->nets[i];
		unsigned *longest = net->is_me ? &found.is_me : &found.is_not;

		if (net->bits >= *longest && ip_same_network(&plain, &net->ip, net->bits))
			*longest = net->bits + 1;
	}
	return found;
}

bool
ipme_has(const struct ipme *me, const struct ip *ip)
{
	struct longest found = find_longest(me, ip);

	return found.is_me > found.is_not;
}

bool
ipme_excludes(const struct ipme *me, const struct ip *ip)
{
	struct longest found = find_longest(me, ip);

	return found.is_not > 0 && found.is_not >= found.is_me;
}

bool
ipme_has_exceptions(const struct ipme *me)
{
	for (size_t i = 0; i < me->n; i++)
		if (!me->nets[i].is_me)
			return true;
	return false;
}

void
ipme_free(struct ipme *me)
{
	int error = errno;

	ip_list_free(&me->own);
	free(me->nets);
	*me = (struct ipme){ 0 };
	errno = error;
}
