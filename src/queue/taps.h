/* taps - control/taps: whose mail somebody else gets a copy of.
 * Lines `WHOM:PATTERN:ADDRESS`: WHOM is F (the sender), T (a recipient) or A (either); PATTERN is
 * an extended regular expression, found anywhere, case does not matter, and a `!` in front turns it
 * round; ADDRESS gets the copy.  Example: `F:@sales\.example\.org$:archive@example.org`.
 * The first address with a hit decides, sender first, then the recipients in their order; lines are
 * tried from the top.  One tap at most, and none if its address is a recipient already. */
#ifndef QUEUE_TAPS_H
#define QUEUE_TAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "queue/envelope.h"

#define TAPS_LINES_MAX ((size_t)1000)
#define TAPS_PATTERN_MAX ((size_t)1000)	/* bytes */

struct tap;

/* {0} has no taps. */
struct taps {
	struct tap *list;
	size_t n;
	const struct tap *hit;		/* the line that decides; NULL so far */
};

enum taps_status {
	TAPS_OK,		/* also: no such file */
	TAPS_UNREADABLE,	/* errno tells; out of memory, too */
	TAPS_MALFORMED
};

/* cwd = the home directory.  *t must be {0}; taps_free it whatever is returned. */
MUST_CHECK enum taps_status taps_read(struct taps *t);
/* The next address of the envelope, in its order.  Without lines it does nothing.  UNREADABLE: out
 * of memory, so whether it has a hit is not known. */
MUST_CHECK enum taps_status taps_see(struct taps *t, enum envelope_type type,
    struct span address);
/* Who gets a copy; empty: nobody.  Borrows from t. */
struct span taps_address(const struct taps *t);
void taps_free(struct taps *t);

#endif
