/* check - may this client send mail in this name?  (RFC 7208.)
 * Pure but for the questions to the resolver: at most SPF_LOOKUPS_MAX terms that need one, each
 * followed by SPF_HOSTS_MAX at most; the resolver bounds the time of each of the two identities,
 * so that slow servers for one leave the other what RFC 7208, 4.6.4 asks for. */
#ifndef SPF_CHECK_H
#define SPF_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"
#include "spf/resolver.h"
#include "spf/result.h"

#define SPF_LOOKUPS_MAX 10U		/* terms with DNS questions (RFC 7208, 4.6.4) */
#define SPF_VOID_MAX 2U			/* of these terms with any that is answered by nothing */
#define SPF_HOSTS_MAX ((size_t)10)	/* names of one MX or PTR answer */
#define SPF_EXPLANATION_MAX ((size_t)1024)	/* bytes; a longer one is not used */
#define SPF_TEXT_MAX ((size_t)900)		/* bytes of a header field's body */

/* What the administrator adds.  All may be empty. */
struct spf_policy {
	struct span rules;	/* terms for every record; valid, see spf_policy_check */
	struct span guess;	/* terms for domains without a record; valid */
	struct span explain;	/* explanation where the domain gives none; valid for MACRO_OWN */
};

struct spf_request {
	struct ip ip;		/* of the client; family IP_NONE: not known */
	bool own;		/* it is this host */
	struct span helo;	/* what the client calls itself */
	struct span sender;	/* of MAIL; without a domain, helo is checked */
	struct span receiver;	/* this host, for explanation and header */
	int64_t now;		/* seconds, for macro t */
	struct spf_policy policy;
};

struct spf_answer {
	enum spf_result result;
	bool memory;		/* result is TEMPERROR because memory ran out */
	struct buf explanation;	/* why it may be refused: printable, one line; empty for PASS and
				 * TEMPERROR */
	struct buf text;	/* what follows `Received-SPF: `: one line, printable */
};

/* *answer is replaced; the first time it is {0}.
 * A HELO name that is another than the sender's domain is checked first; only its FAIL counts. */
void spf_check(const struct spf_request *request, const struct spf_resolver *resolver,
    struct spf_answer *answer);
void spf_answer_free(struct spf_answer *answer);

/* NULL, or the member of the policy that is malformed: `rules`, `guess`, `explain`. */
const char *spf_policy_check(const struct spf_policy *policy);

#endif
