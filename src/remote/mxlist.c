/* mxlist - which addresses to try for a host, in order. */
#include "remote/mxlist.h"

#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/sys.h"

#define NO_LIMIT UINT32_MAX

/* ---- building ---- */

static void
start(struct mxlist *l, const struct mxlist_lookup *lookup, const struct mxlist_self *self)
{
	*l = (struct mxlist){ .limit = NO_LIMIT, .lookup = *lookup, .self = self };
}

void
mxlist_free(struct mxlist *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->hosts[i].name);
		ip_list_free(&l->hosts[i].addresses);
	}
	free(l->hosts);
	*l = (struct mxlist){ 0 };
}

static bool
is_own(const struct mxlist *l, const struct ip *ip)
{
	return l->self && ipme_has(l->self->addresses, ip);
}

static bool
parse_address(struct span text, struct ip *ip)
{
	return ip_parse_literal(text, ip) || ip_parse(text, ip);
}

static void
lower_limit(struct mxlist *l, uint32_t preference)
{
	if (preference < l->limit)
		l->limit = preference;
}

/* Adds a host that is an address in itself: preference 0 for the loop check, whatever its place. */
static enum mxlist_status
set_literal(struct mxlist *l, struct mxlist_host *host, const struct ip *ip)
{
	host->resolved = true;
	host->loop_preference = 0;
	if (ip_list_add(&host->addresses, ip) == -1)
		return MXLIST_MEMORY;
	if (is_own(l, ip))
		lower_limit(l, 0);
	return MXLIST_OK;
}

/* Looks up the addresses of a host without MX records. */
static enum mxlist_status
single_host(struct mxlist *l, struct span name)
{
	struct mxlist_host *host = calloc(1, sizeof *host);
	bool partly = false;	/* no matter: what there is is used, and no name compared */
	struct ip ip;

	if (!host)
		return MXLIST_MEMORY;
	l->hosts = host;
	l->n = 1;
	if (parse_address(name, &ip))
		return set_literal(l, host, &ip);
	switch (l->lookup.addresses(l->lookup.arg, name, &host->addresses, &partly)) {
	case DNS_OK:
		break;
	case DNS_ABSENT:
		return MXLIST_NO_HOST;
	case DNS_MEMORY:
		return MXLIST_MEMORY;
	case DNS_SOFT:
	default:
		return MXLIST_SOFT;
	}
	host->resolved = true;
	for (size_t i = 0; i < host->addresses.n; i++)
		if (is_own(l, &host->addresses.list[i]))
			lower_limit(l, 0);
	return MXLIST_OK;
}

static int
by_preference(const void *a, const void *b)
{
	const struct dns_mx *x = a, *y = b;

	return (x->preference > y->preference) - (x->preference < y->preference);
}

/* Random order among equals.  A sort by preference alone would not do: qsort is not stable, but
 * not random either. */
static int
shuffle_and_sort(struct dns_mx_list *mx)
{
	uint32_t random;

	for (size_t i = mx->n; i > 1; i--) {
		struct dns_mx swap = mx->list[i - 1];
		size_t j;

		if (sys_random(&random, sizeof random) == -1)
			return -1;
		j = random % i;		/* i is small: no bias worth avoiding */
		mx->list[i - 1] = mx->list[j];
		mx->list[j] = swap;
	}
	/* Insertion keeps the shuffled order of equals. */
	for (size_t i = 1; i < mx->n; i++) {
		struct dns_mx moved = mx->list[i];
		size_t j = i;

		for (; j > 0 && by_preference(&mx->list[j - 1], &moved) > 0; j--)
			mx->list[j] = mx->list[j - 1];
		mx->list[j] = moved;
	}
	return 0;
}

/* The name moves from mx to the list. */
static enum mxlist_status
add_exchanger(struct mxlist *l, struct dns_mx *mx)
{
	struct mxlist_host *host = &l->hosts[l->n++];
	struct ip ip;

	*host = (struct mxlist_host){ .name = mx->name, .preference = mx->preference,
		.loop_preference = mx->preference };
	mx->name = NULL;
	return parse_address(span_str(host->name), &ip) ? set_literal(l, host, &ip) : MXLIST_OK;
}

static enum mxlist_status
take_exchangers(struct mxlist *l, struct dns_mx_list *mx)
{
	enum mxlist_status status = MXLIST_OK;

	if (mx->n == 1 && mx->list[0].preference == 0 && mx->list[0].name[0] == '\0')
		return MXLIST_NULL;
	l->hosts = calloc(MXLIST_HOSTS_MAX, sizeof *l->hosts);
	if (!l->hosts || shuffle_and_sort(mx) == -1)
		return MXLIST_MEMORY;
	for (size_t i = 0; i < mx->n && l->n < MXLIST_HOSTS_MAX && status == MXLIST_OK; i++)
		if (mx->list[i].name[0])	/* the root among others means nothing */
			status = add_exchanger(l, &mx->list[i]);
	return status;
}

enum mxlist_status
mxlist_by_mx(struct mxlist *l, struct span host, const struct mxlist_lookup *lookup,
    const struct mxlist_self *self)
{
	struct dns_mx_list mx = { 0 };
	enum mxlist_status status;
	struct ip ip;

	start(l, lookup, self);
	if (parse_address(host, &ip))
		return single_host(l, host);
	switch (lookup->mx(lookup->arg, host, &mx)) {
	case DNS_OK:
		status = take_exchangers(l, &mx);
		break;
	case DNS_ABSENT:
		status = single_host(l, host);
		break;
	case DNS_MEMORY:
		status = MXLIST_MEMORY;
		break;
	case DNS_SOFT:
	default:
		status = MXLIST_SOFT;
		break;
	}
	dns_mx_free(&mx);
	return status;
}

enum mxlist_status
mxlist_by_relay(struct mxlist *l, struct span relay, const struct mxlist_lookup *lookup)
{
	start(l, lookup, NULL);
	return single_host(l, relay);
}

/* ---- handing out ---- */

static bool
named_like_us(const struct mxlist *l, struct span name)
{
	if (!l->self)
		return false;
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	return ascii_ieq(name, l->self->me) || ascii_ieq(name, l->self->helohost);
}

/* Our name is not enough where notipme says that one of its addresses is another host. */
static bool
is_elsewhere(const struct mxlist *l, const struct ip_list *addresses)
{
	for (size_t i = 0; i < addresses->n; i++)
		if (ipme_excludes(l->self->addresses, &addresses->list[i]))
			return true;
	return false;
}

static enum mxlist_status
resolve(struct mxlist *l, struct mxlist_host *host)
{
	struct span name = span_str(host->name);
	const bool named = named_like_us(l, name);
	bool partly = false;

	host->resolved = true;
	if (named && !ipme_has_exceptions(l->self->addresses))
		lower_limit(l, host->preference);
	if (host->preference >= l->limit)	/* never used: no need to know */
		return MXLIST_OK;
	switch (l->lookup.addresses(l->lookup.arg, name, &host->addresses, &partly)) {
	case DNS_MEMORY:
		return MXLIST_MEMORY;
	case DNS_SOFT:
		l->soft = true;
		break;
	case DNS_OK:
	case DNS_ABSENT:
	default:
		break;
	}
	if (named && !is_elsewhere(l, &host->addresses)) {
		l->soft |= partly;	/* the one that notipme has may be missing */
		lower_limit(l, host->preference);
	}
	for (size_t i = 0; i < host->addresses.n; i++)
		if (is_own(l, &host->addresses.list[i]))
			lower_limit(l, host->preference);
	return MXLIST_OK;
}

/* All hosts from this one on that share its preference. */
static enum mxlist_status
resolve_level(struct mxlist *l, size_t from)
{
	enum mxlist_status status = MXLIST_OK;
	uint32_t level = l->hosts[from].preference;

	for (size_t i = from; i < l->n && l->hosts[i].preference == level; i++)
		if (status == MXLIST_OK && !l->hosts[i].resolved)
			status = resolve(l, &l->hosts[i]);
	return status;
}

static enum mxlist_status
why_none(const struct mxlist *l)
{
	if (l->handed_out)
		return MXLIST_END;
	/* A better exchanger that may be resolvable later is worth waiting for, even if the next
	 * best is ourselves. */
	if (l->soft)
		return MXLIST_SOFT;
	return l->limit == NO_LIMIT ? MXLIST_NO_ADDRESS : MXLIST_SELF;
}

enum mxlist_status
mxlist_next(struct mxlist *l, struct ip *ip)
{
	for (; l->host < l->n; l->host++, l->address = 0) {
		struct mxlist_host *host = &l->hosts[l->host];
		enum mxlist_status status = l->address ? MXLIST_OK : resolve_level(l, l->host);

		if (status != MXLIST_OK)
			return status;
		if (host->loop_preference < l->limit && l->address < host->addresses.n) {
			*ip = host->addresses.list[l->address++];
			l->handed_out = true;
			return MXLIST_OK;
		}
	}
	return why_none(l);
}

const char *
mxlist_name(const struct mxlist *l)
{
	return l->host < l->n ? l->hosts[l->host].name : NULL;
}
