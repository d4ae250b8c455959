/* done - messages without recipients left: the notice of what failed is queued, then the message is
 * removed (S5 to S2 here, to S1 by qmail-clean).  Removals are collected for a moment, so that many
 * share the syncs. */
#ifndef SEND_DONE_H
#define SEND_DONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "send/waitset.h"

#define DONE_BATCH 64
#define DONE_BATCH_MS 100

struct send;

struct done {
	uint64_t batch[DONE_BATCH];	/* info is unlinked, that is not yet durable */
	size_t n;
	int64_t flush_at;		/* monotonic ms */
	bool bounce_removed;		/* a file of bounce/ is unlinked, not yet durable */
};

/* N has no recipients left, perhaps; looked at when due.  -1: no memory. */
MUST_CHECK int done_add(struct send *s, uint64_t id, int64_t due);
/* The text of N is missing: removes what is left of it. */
void done_purge(struct send *s, uint64_t id);
void done_watch(const struct send *s, struct waitset *w);
void done_step(struct send *s);
/* Nothing under way that an exit would interrupt. */
bool done_idle(const struct send *s);
/* Is its removal under way? */
bool done_pending(const struct send *s, uint64_t id);

/* What became of a notice that was started (notice.h). */
void done_bounced(struct send *s, uint64_t id);
void done_bounce_failed(struct send *s, uint64_t id, bool permanent);

#endif
