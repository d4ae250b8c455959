/* dns - the questions a mail host asks, through the system's resolver (libresolv; resolv.conf
 * keeps its meaning, but names are absolute: no search list).  Answers of any size: EDNS0, TCP
 * after truncation.  Decided by the RCODE: NXDOMAIN and "no such data" are DNS_ABSENT; SERVFAIL,
 * REFUSED, FORMERR, NOTIMP, time-outs and malformed answers are DNS_SOFT.
 * A name that cannot exist (label over 63 bytes, name over 255, empty label) is DNS_ABSENT without
 * a question.  One with letters beyond US-ASCII is asked for as its A-labels (net/idn.h). */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"

#define DNS_RECORDS_MAX ((size_t)1000)	/* records taken from one answer; the rest is left out */
#define DNS_ALIASES_MAX 10		/* CNAMEs that lead from one to the next */

enum dns_status { DNS_OK, DNS_ABSENT, DNS_SOFT, DNS_MEMORY };

/* The resolver: reads resolv.conf once, when it is opened; opens no file later. */
struct dns;
/* NULL: out of memory. */
MUST_CHECK struct dns *dns_open(void);
void dns_close(struct dns *d);		/* NULL is fine */

/* From now on no question is asked after this moment (lib/deadline.h; they fail softly), and those
 * before are repeated less often; DEADLINE_NONE: as resolv.conf says. */
void dns_set_deadline(struct dns *d, int64_t deadline);

struct dns_mx {
	uint16_t preference;
	char *name;		/* malloc'd, no dot at the end; "" is the root (RFC 7505) */
};

struct dns_mx_list {
	struct dns_mx *list;
	size_t n, size;
};

/* A and AAAA records, appended in answer order (A first); a chain of CNAMEs in the answer is
 * followed by owner-blind reading, bounded.  A soft failure of one type with results of the other
 * gives DNS_OK. */
MUST_CHECK enum dns_status dns_addresses(struct dns *d, struct span name, struct ip_list *to);
/* *partly: with DNS_OK, was there such a soft failure?  There may be more addresses then. */
MUST_CHECK enum dns_status dns_addresses_partly(struct dns *d, struct span name,
    struct ip_list *to, bool *partly);
/* Those of one family only: one question. */
MUST_CHECK enum dns_status dns_family(struct dns *d, struct span name, enum ip_family family,
    struct ip_list *to);
/* TXT records in answer order, the strings of each joined, each followed by NUL (inside one it
 * becomes DEL); replaces *texts. */
MUST_CHECK enum dns_status dns_txt(struct dns *d, struct span name, struct buf *texts);
/* MX records in answer order.  DNS_ABSENT also for an answer without MX records. */
MUST_CHECK enum dns_status dns_mx(struct dns *d, struct span name, struct dns_mx_list *to);
/* Copies the name; DNS_OK or DNS_MEMORY. */
MUST_CHECK enum dns_status dns_mx_add(struct dns_mx_list *l, uint16_t preference,
    struct span name);
void dns_mx_free(struct dns_mx_list *l);
/* The first PTR record of the address, lower case, no dot at the end; replaces *name. */
MUST_CHECK enum dns_status dns_ptr(struct dns *d, const struct ip *ip, struct buf *name);
/* All of them, each followed by NUL; replaces *names. */
MUST_CHECK enum dns_status dns_ptr_all(struct dns *d, const struct ip *ip, struct buf *names);
/* The name that an alias stands for in the end; the name itself if it is none.  DNS_SOFT also for
 * more than DNS_ALIASES_MAX steps.  Replaces *canonical. */
MUST_CHECK enum dns_status dns_canonical(struct dns *d, struct span name, struct buf *canonical);

#endif
