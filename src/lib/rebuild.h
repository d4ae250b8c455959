/* rebuild - a database made anew from its source: it appears whole or not at all, also if two make
 * it at once. */
#ifndef LIB_REBUILD_H
#define LIB_REBUILD_H

#include <sys/types.h>

#include "lib/attr.h"

#define REBUILD_WAIT_MS 60000	/* for another who makes it */

enum rebuild_status {
	REBUILD_OK,
	REBUILD_WRITE,		/* the file could not be written */
	REBUILD_MOVE,		/* or not get its name */
	REBUILD_DIRECTORY	/* it has its name, but may lose it again when the power fails */
};

/* An empty file of this name, open for reading and writing, locked: whoever holds the lock may
 * write and unlink it.  Read the source afterwards: while one waits it may be replaced.  The mode
 * is for a new one.  -1 with errno; ETIMEDOUT: somebody else has been at it for too long. */
MUST_CHECK int rebuild_begin(const char *temporary, mode_t mode);
/* Closes it in every case but REBUILD_WRITE and REBUILD_MOVE.  errno tells. */
MUST_CHECK enum rebuild_status rebuild_publish(int fd, const char *temporary, const char *target);

#endif
