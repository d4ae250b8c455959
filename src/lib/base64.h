/* base64 - bytes as letters (RFC 4648, 4), one line, with padding.
 *
 *	`joe` NUL `x`	am9lAHg= */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

/* Appends. */
void base64_encode(struct buf *to, struct span bytes);
/* Appends what the text stands for.  false: it is no base64, or *to failed; then *to is as long as
 * before.  Strict: only the alphabet, whole groups of four, padding at the end alone, no bits left
 * over; so no two texts stand for the same bytes.  The empty text is fine. */
MUST_CHECK bool base64_decode(struct buf *to, struct span text);

#endif
