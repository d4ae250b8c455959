/* spool - a message read to its end before it is sent on: a small one in memory, the rest of a
 * large one in a file without a name. */
#ifndef REMOTE_SPOOL_H
#define REMOTE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"

#define SPOOL_MEMORY_MAX ((size_t)1 << 20)	/* bytes kept in memory */

struct spool {
	struct buf memory;
	int fd;			/* what came after that; -1: nothing did */
	uint64_t size;		/* of all */
};

#define SPOOL_EMPTY { .memory = BUF_CAP(SPOOL_MEMORY_MAX), .fd = -1 }

enum spool_status {
	SPOOL_OK,
	SPOOL_READ,		/* the source, or our file, cannot be read */
	SPOOL_WRITE,		/* our file cannot be made or written */
	SPOOL_MEMORY
};

/* Takes everything of `from` up to its end.  s must be SPOOL_EMPTY. */
MUST_CHECK enum spool_status spool_take(struct spool *s, int from);
/* Puts all of it to `out`, as often as one likes.  Failures of `out` stick there and are no failure
 * here. */
MUST_CHECK enum spool_status spool_put(const struct spool *s, struct io_out *out);
void spool_free(struct spool *s);

#endif
