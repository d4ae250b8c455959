/* resolver - the questions that a check of a sender asks.  The evaluator sees nothing else of the
 * network, so that a test can play the whole of DNS. */
#ifndef SPF_RESOLVER_H
#define SPF_RESOLVER_H

#include <stdint.h>

#include "lib/buf.h"
#include "lib/span.h"
#include "net/dns.h"
#include "net/ip.h"

#define SPF_CHECK_MS (INT64_C(20) * 1000)	/* for all questions about one identity */

/* Each question as its relative in net/dns.h: DNS_OK means at least one record.  A name that cannot
 * exist is DNS_ABSENT. */
struct spf_resolver {
	/* The check of another identity begins, with SPF_CHECK_MS for itself. */
	void (*begin)(void *arg);
	enum dns_status (*txt)(void *arg, struct span name, struct buf *texts);
	enum dns_status (*family)(void *arg, struct span name, enum ip_family family,
	    struct ip_list *to);
	enum dns_status (*mx)(void *arg, struct span name, struct dns_mx_list *to);
	enum dns_status (*ptr)(void *arg, const struct ip *ip, struct buf *names);
	void *arg;
};

/* The system's.  Borrows d. */
struct spf_resolver spf_resolver_dns(struct dns *d);

#endif
