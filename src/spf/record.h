/* record - an SPF record taken apart (RFC 7208, 4.5, 4.6, 5, 6, 12).
 * Example: `v=spf1 a:mail.a.ex/28 -all` -> A `mail.a.ex` /28 +, ALL -.
 * The whole record is read before any of it is used, so an error anywhere in it is found first. */
#ifndef SPF_RECORD_H
#define SPF_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "net/ip.h"
#include "spf/result.h"

#define SPF_RECORD_MAX ((size_t)16384)	/* bytes; a longer record is malformed */

enum spf_mechanism {
	SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6, SPF_EXISTS, SPF_MECHANISMS
};

struct spf_term {
	enum spf_mechanism mechanism;
	enum spf_result result;		/* if it matches: PASS, FAIL, SOFTFAIL or NEUTRAL */
	struct span target;		/* domain-spec; empty: the domain itself */
	struct ip network;		/* of ip4, ip6 */
	unsigned prefix4, prefix6;	/* bits that count: 0..32, 0..128 */
};

/* {0} is empty.  Borrows the text. */
struct spf_record {
	struct spf_term *terms;
	size_t n, size;
	struct span redirect, explain;	/* domain-specs of the modifiers; empty: none */
};

enum spf_record_status {
	SPF_RECORD_OK,
	SPF_RECORD_UNKNOWN,		/* a mechanism that nobody knows: *where is its name */
	SPF_RECORD_SYNTAX,
	SPF_RECORD_MEMORY
};

/* Is this text an SPF record of version 1, whatever follows?  `V=spf1`, `v=spf1 mx`; not
 * `v=spf10`. */
bool spf_record_is(struct span text);
/* terms: the text behind the version, or the administrator's own terms.  *r must be {0};
 * spf_record_free it whatever is returned. */
MUST_CHECK enum spf_record_status spf_record_parse(struct spf_record *r, struct span terms,
    struct span *where);
/* What follows the version of a text for which spf_record_is is true. */
struct span spf_record_terms(struct span text);
/* Index of the first of the terms `-all`, `~all` and `?all` that end the record; r->n if none
 * does.  That is where local rules go. */
size_t spf_record_end(const struct spf_record *r);
void spf_record_free(struct spf_record *r);

#endif
