/* hdr5322 - header fields with addresses (RFC 5322 and what mail programs make of it): tokens,
 * address lists, completing addresses, and writing the field again.  Table of the syntax, and
 * where it is looser than the standard: qmail-header(5).
 *
 *	hdr5322_tokenize("ann (A.), Bob <bob@b>")
 *			tokens: ann (A.) , Bob < bob @ b >
 *	hdr5322_list	finds bob@b, then ann; `use` completes them
 *	hdr5322_write	To: ann@h.example (A.), Bob <bob@b.example>
 *
 * Pure: bytes in, bytes or a status out.  The work is linear in the input. */
#ifndef MAIL_HDR5322_H
#define MAIL_HDR5322_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define HDR5322_TOKENS_MAX ((size_t)4 << 20)	/* of one field: 100,000 addresses have below 1M */
#define HDR5322_LINE_MAX ((size_t)78)		/* bytes of a line before it is folded */

enum hdr5322_status {
	HDR5322_OK,
	HDR5322_SYNTAX,
	HDR5322_TOOBIG,		/* over HDR5322_TOKENS_MAX */
	HDR5322_MEMORY
};

/* A separator is its own byte: . , @ < > : ; */
enum hdr5322_type {
	HDR5322_ATOM = 'a',
	HDR5322_QUOTED = 'q',	/* also an atom that must be quoted to be read as one again */
	HDR5322_LITERAL = 'l',
	HDR5322_COMMENT = 'c'
};

struct hdr5322_token {
	struct span text;	/* without quoting and brackets; empty for a separator */
	char type;		/* enum hdr5322_type, or the separator */
	bool blank;		/* a blank stood before it */
};

/* {0} is empty.  Sticky failure: the first one stays in status until the next reset. */
struct hdr5322_tokens {
	struct hdr5322_token *v;
	size_t n, size;
	struct buf text;	/* where the tokens made by hdr5322_tokenize point to */
	enum hdr5322_status status;
};

void hdr5322_free(struct hdr5322_tokens *t);
/* Empties it, keeps the memory. */
void hdr5322_reset(struct hdr5322_tokens *t);
/* Borrow what the tokens point to. */
void hdr5322_push(struct hdr5322_tokens *t, struct hdr5322_token token);
/* Without blanks: they may stand in a control file or variable, not in an address. */
void hdr5322_append(struct hdr5322_tokens *t, const struct hdr5322_tokens *more);
struct hdr5322_token hdr5322_separator(char c);
struct hdr5322_token hdr5322_word(enum hdr5322_type type, struct span text);

/* Replaces *to by the tokens of in, which is not needed afterwards.  CR and LF inside quoted
 * strings, comments and literals are folding: they never get into a token.  SYNTAX: something is
 * not closed, or ) or ] stands where a token begins. */
MUST_CHECK enum hdr5322_status hdr5322_tokenize(struct span in, struct hdr5322_tokens *to);
/* Same for an address as it stands in an envelope or argument: all before the last @ is the local
 * part, byte by byte, borrowed from in; the domain is tokenised.  The empty address gives none. */
MUST_CHECK enum hdr5322_status hdr5322_tokenize_raw(struct span in, struct hdr5322_tokens *to);
/* Appends the address as envelopes hold it: texts joined, without comments and quoting. */
void hdr5322_envelope(const struct hdr5322_tokens *address, struct buf *to);

/* What incomplete addresses are completed with: tokens of `@HOST`, `.DOMAIN`, `.DOMAIN`. */
struct hdr5322_rules {
	struct hdr5322_tokens default_host, default_domain, plus_domain;
};

/* Source route, a dot or @ at the end: dropped.  true: that was all, the address is special
 * (ends in @[]) or empty now, and is not to be completed. */
bool hdr5322_strip(struct hdr5322_tokens *address);
/* hdr5322_strip, then host, plus domain, domain where they are missing (qmail-header(5)).  The
 * address borrows from the rules. */
void hdr5322_complete(const struct hdr5322_rules *rules, struct hdr5322_tokens *address);

/* Gets each address, may change it; anything but OK ends the work and is returned. */
typedef enum hdr5322_status hdr5322_use(void *arg, struct hdr5322_tokens *address);

/* Finds the addresses of a list, from right to left, and gives each to `use`.  *out, if not NULL,
 * becomes the field with the addresses as `use` left them, ready to be written; it borrows from
 * `in` and from what `use` put there.  The empty address `<>` counts, nothing between commas does
 * not.  Two words without a separator are two addresses; a comma is put between them. */
MUST_CHECK enum hdr5322_status hdr5322_list(const struct hdr5322_tokens *in, hdr5322_use *use,
    void *arg, struct hdr5322_tokens *out);

/* Appends `NAME:` (without the colon in `name`), the tokens and LF.  Folds after commas only, with
 * LF and two spaces, so that no line that could be shorter is over HDR5322_LINE_MAX bytes. */
void hdr5322_write(struct span name, const struct hdr5322_tokens *field, struct buf *to);

#endif
