/* mxlist - which addresses to try for a host, in order (RFC 5321, 5.1).
 *
 * MX records by ascending preference, random order among equals; names are looked up one
 * preference at a time, and a preference is complete before its first address is handed out, so
 * that none is used that is not better than ourselves.  Without MX records: the host's own
 * addresses. */
#ifndef REMOTE_MXLIST_H
#define REMOTE_MXLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "net/dns.h"
#include "net/ip.h"
#include "net/ipme.h"

#define MXLIST_HOSTS_MAX ((size_t)50)	/* exchangers looked at, the best ones */

/* Where names are looked up: net/dns, or a table in a test. */
struct mxlist_lookup {
	enum dns_status (*mx)(void *arg, struct span name, struct dns_mx_list *to);
	/* *partly, false before: there may be more than these. */
	enum dns_status (*addresses)(void *arg, struct span name, struct ip_list *to,
	    bool *partly);
	void *arg;
};

/* How to know ourselves.  Borrowed as long as the list lives. */
struct mxlist_self {
	const struct ipme *addresses;
	struct span me, helohost;	/* an MX of one of these names is us, resolvable or not,
					 * unless notipme has one of its addresses */
};

struct mxlist_host {
	char *name;
	struct ip_list addresses;
	uint32_t preference;
	uint32_t loop_preference;	/* 0 for literal addresses, else = preference */
	bool resolved;
};

struct mxlist {
	struct mxlist_host *hosts;
	size_t n, host, address;	/* position of the next address */
	uint32_t limit;			/* only better (lower) preferences than this may be used */
	struct mxlist_lookup lookup;
	const struct mxlist_self *self;	/* NULL: no loop check */
	bool soft;			/* a lookup failed for now */
	bool handed_out;
};

enum mxlist_status {
	MXLIST_OK,
	MXLIST_END,		/* no more addresses, but there was at least one */
	MXLIST_SOFT,		/* no address, and a lookup failed for now */
	MXLIST_NO_HOST,		/* no such host */
	MXLIST_NO_ADDRESS,	/* exchangers without addresses */
	MXLIST_NULL,		/* takes no mail (RFC 7505) */
	MXLIST_SELF,		/* we are the best exchanger */
	MXLIST_MEMORY
};

/* Both start a list; free it whatever they return.
 * By MX records, with loop check. */
MUST_CHECK enum mxlist_status mxlist_by_mx(struct mxlist *l, struct span host,
    const struct mxlist_lookup *lookup, const struct mxlist_self *self);
/* A relay of smtproutes: its addresses, nothing checked. */
MUST_CHECK enum mxlist_status mxlist_by_relay(struct mxlist *l, struct span relay,
    const struct mxlist_lookup *lookup);
void mxlist_free(struct mxlist *l);

/* The next address to try.  MXLIST_OK, or why there is none. */
MUST_CHECK enum mxlist_status mxlist_next(struct mxlist *l, struct ip *ip);
/* The exchanger whose address was handed out last, as DNS has it; NULL: the host itself. */
const char *mxlist_name(const struct mxlist *l);

#endif
