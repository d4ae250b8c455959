/* wildmat - shell-style patterns over whole addresses: `*` any bytes, `?` one, `[a-z]` one of a
 * class, `[^a-z]` one of the others, `\x` x itself. */
#ifndef SMTP_WILDMAT_H
#define SMTP_WILDMAT_H

#include <stdbool.h>

#include "lib/span.h"

/* Every class is closed, and something follows every backslash. */
bool wildmat_is_pattern(struct span pattern);
/* Compares bytes as they are; the time is at most the product of the lengths.  A malformed pattern
 * matches nothing. */
bool wildmat_match(struct span pattern, struct span text);

#endif
