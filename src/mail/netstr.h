/* netstr - netstrings, as QMTP and QMQP use them: `5:hello,` is the text `hello`.
 * (D. J. Bernstein, "Netstrings", 1997; "QMTP", 1997; "QMQP", 1998.) */
#ifndef MAIL_NETSTR_H
#define MAIL_NETSTR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/io.h"
#include "lib/span.h"

#define NETSTR_MAX ((uint64_t)2000000009)	/* the longest text that qmail-1.03 takes */
#define NETSTR_HEAD_MAX 100			/* bytes of a length with its colon */

enum netstr_status {
	NETSTR_MORE,		/* the length goes on */
	NETSTR_COMPLETE,	/* that was the colon */
	NETSTR_BAD		/* no digit, no digits at all, too many, or over NETSTR_MAX */
};

/* A length that is being read.  {0} to start. */
struct netstr_head {
	uint64_t length;
	unsigned bytes;		/* digits so far */
};

/* Takes the next byte of a length; zeros in front are forgiven.  Nothing may follow NETSTR_BAD. */
MUST_CHECK enum netstr_status netstr_head(struct netstr_head *h, char c);

/* Writes the length and the colon; the whole. */
void netstr_put_head(struct io_out *out, uint64_t length);
void netstr_put(struct io_out *out, struct span text);
/* Bytes of the whole netstring with a text of n. */
uint64_t netstr_size(uint64_t n);

#endif
