/* snapshot - the messages that are there when qmail-send starts: their numbers and what was listed
 * of each, 9 bytes a message.  Kept only until all are scheduled (startup.h).
 *
 *	while (... next number of info/0, then of info/1, ...)
 *		if (snapshot_add(&list, id) == -1) ...no memory...
 *	if (snapshot_finish(&list) == -1) ...no memory...
 *	if ((flags = snapshot_find(&list, 457)) != NULL) *flags |= 1; */
#ifndef SEND_SNAPSHOT_H
#define SEND_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

/* {0} is empty.  Ordered by subdirectory, then by number: the order of a walk over the split
 * directories, and nearly that of the inodes on the disk. */
struct snapshot {
	uint64_t *ids;
	unsigned char *flags;	/* of the i-th, 0 at first; the caller's */
	size_t n, size;
	size_t group;		/* where the subdirectory that is being added begins */
};

void snapshot_free(struct snapshot *s);
/* Numbers of one subdirectory after the other, in any order within each; one that comes twice is
 * kept once.  -1: no memory, nothing changed. */
MUST_CHECK int snapshot_add(struct snapshot *s, uint64_t id);
/* After the last one, before anything else.  -1: no memory. */
MUST_CHECK int snapshot_finish(struct snapshot *s);
/* NULL: it is not there. */
unsigned char *snapshot_find(const struct snapshot *s, uint64_t id);

#endif
