/* envkeep - variables of the environment that are lent: changed, and later as they were. */
#ifndef LIB_ENVKEEP_H
#define LIB_ENVKEEP_H

#include "lib/attr.h"
#include "lib/buf.h"

/* {0}: nothing has been changed. */
struct envkeep {
	struct buf before;	/* `NAME=value` or `NAME` of each that was, each followed by NUL */
};

/* The variable will be changed, but not by this: envkeep_undo brings it back.  -1: no memory. */
MUST_CHECK int envkeep_keep(struct envkeep *k, const char *name);
/* Entries, each followed by NUL: `NAME=value` is set, `NAME` is unset.  -1 with errno: no memory,
 * or no name; some may be changed then. */
MUST_CHECK int envkeep_change(struct envkeep *k, const struct buf *entries);
/* Back to what it was before.  1: the environment has changed; 0: nothing had been changed; -1: out
 * of memory. */
MUST_CHECK int envkeep_undo(struct envkeep *k);
void envkeep_free(struct envkeep *k);

#endif
