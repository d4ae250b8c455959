/* macro - the texts with `%{...}` in SPF records and explanations (RFC 7208, 7).
 * Example: `%{ir}.%{v}._spf.%{d2}` for 192.0.2.3 and mail.a.ex
 *	-> `3.2.0.192.in-addr._spf.a.ex`.
 * Time and space are linear in the text and in each value; the caller's cap bounds the result. */
#ifndef SPF_MACRO_H
#define SPF_MACRO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"

#define SPF_NAME_BYTES ((size_t)253)	/* bytes of a domain name as text */

/* Where the text stands decides which letters it may use. */
enum spf_macro_use {
	SPF_MACRO_DOMAIN,	/* s l o d i p h v; no blanks */
	SPF_MACRO_EXPLAIN,	/* also c r t, and blanks */
	SPF_MACRO_OWN		/* the administrator: also xR (us), xS (source), xE (error) */
};

struct spf_names {
	struct span local, sender_domain;	/* of the address that is checked */
	struct span domain;			/* whose record is read now */
	struct span helo, receiver;		/* receiver may be empty: `unknown` */
	struct span source, error;		/* xS, xE */
	struct ip ip;
	int64_t now;
	/* The client's own name for p, best for this domain; an empty one becomes `unknown`. */
	struct span (*validated)(void *arg, struct span domain);
	void *arg;
};

/* Is this a macro-string?  Only printable US-ASCII is. */
MUST_CHECK bool spf_macro_valid(struct span text, enum spf_macro_use use);
/* Is this a domain-spec: a macro-string that ends in a macro, or in a dot and a top-level name? */
MUST_CHECK bool spf_macro_domain_valid(struct span text);
/* Appends the text with its macros replaced.  The text must be valid for this use. */
void spf_macro_expand(struct span text, enum spf_macro_use use, const struct spf_names *names,
    struct buf *to);
/* The same for a domain-spec: replaces *to, and takes labels off the front while it is longer than
 * SPF_NAME_BYTES.  Empty if it would become very long. */
void spf_macro_expand_domain(struct span text, const struct spf_names *names, struct buf *to);

#endif
