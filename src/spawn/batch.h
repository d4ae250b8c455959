/* batch - commands that one process can carry out together: the same message, sender and host,
 * another recipient each. */
#ifndef SPAWN_BATCH_H
#define SPAWN_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "queue/spawnproto.h"

#define BATCH_MAX ((size_t)100)			/* recipients of one process */
#define BATCH_BYTES_MAX ((size_t)65536)		/* of their addresses, which become arguments */

/* {0} is empty. */
struct batch {
	struct buf id, sender;
	struct buf recipients;		/* each followed by NUL */
	size_t at;			/* of the first one: index of its last @ */
	unsigned slots[BATCH_MAX];
	size_t n;
};

/* Can this command go along?  It can with an empty batch. */
bool batch_takes(const struct batch *b, const struct spawnproto_command *c, size_t max);
/* Adds it, if it can go along; the recipient holds an @.  -1: no memory; nothing but the slots of
 * the batch is of use then. */
MUST_CHECK int batch_add(struct batch *b, const struct spawnproto_command *c);
void batch_reset(struct batch *b);
void batch_free(struct batch *b);

#endif
