/* outbox - reports of deliveries on their way to qmail-send, several with one write. */
#ifndef SPAWN_OUTBOX_H
#define SPAWN_OUTBOX_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

/* Room for any one report and more, taken at the start, so that none is lost for want of memory. */
#define OUTBOX_SIZE ((size_t)32768)

/* {0} before outbox_open. */
struct outbox {
	struct buf reports;	/* not written yet */
	bool deaf;		/* nobody reads them any more */
};

/* Announces the number of slots on descriptor 1.  -1: no memory. */
MUST_CHECK int outbox_open(struct outbox *o);
/* text: at most OUTBOX_SIZE - 1024 bytes. */
void outbox_put(struct outbox *o, unsigned slot, struct span text);
void outbox_flush(struct outbox *o);
void outbox_free(struct outbox *o);

#endif
