/* todo - preprocessing: watches the trigger, scans todo, and moves messages from S4 to S5 in
 * batches (qlayout.h has the states).  Used by qmail-todo and, without it, by qmail-send itself.
 *
 * A batch: the files of up to TODO_BATCH messages are written (split.h), then synced, then each
 * directory concerned is synced once; from here on nothing of them can be lost, and qmail-clean is
 * asked to remove their todo entries, all at once.  Each answer makes one message deliverable.  One
 * batch is under way at a time; the caller's loop goes on meanwhile.
 *
 * A message that cannot be preprocessed stays in todo and is tried again after TODO_RETRY_MS, not
 * at every scan. */
#ifndef SEND_TODO_H
#define SEND_TODO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/heap.h"
#include "queue/qlayout.h"
#include "queue/trigger.h"
#include "send/activity.h"
#include "send/cleaner.h"
#include "send/disk.h"
#include "send/split.h"
#include "send/waitset.h"

#define TODO_BATCH 64			/* messages, */
#define TODO_BATCH_MS 20		/* or as many as take this long, in one turn */
#define TODO_PACE_MS 20			/* between scans: what comes meanwhile is a batch */
#define TODO_RESCAN_MS 1500000
#define TODO_RETRY_MS 123000
#define TODO_TROUBLE_MS 10000		/* a directory or the trigger cannot be opened */
#define TODO_MEMORY_MS 1000

_Static_assert(TODO_BATCH < CLEANER_MAX, "a batch leaves room for other requests");

enum todo_state {
	TODO_READY,
	TODO_ASKED,		/* qmail-clean */
	TODO_REMOVED,		/* deliverable, not yet handed on */
	TODO_AGAIN,		/* to be tried again, not yet remembered */
	TODO_FINISHED
};

struct todo {
	const struct qlayout *q;
	struct activity *log;
	struct cleaner *clean;
	/* N is deliverable on these channels (bits 1 << channel).  false: no memory, ask again. */
	bool (*preprocessed)(void *arg, uint64_t id, unsigned channels);
	void *arg;
	struct splitter splitter;
	struct trigger trigger;
	struct qlayout_scan scan;
	struct disk disk;
	bool started, stopped, scanning;
	bool in_vain;			/* a pull has started the scan, which has found nothing */
	int64_t next_scan;		/* monotonic ms */
	int64_t rest_until;		/* the same; until then the trigger is not looked at */
	struct heap retry;		/* id -> monotonic ms */
	struct todo_item {
		struct split split;
		enum todo_state state;
	} batch[TODO_BATCH];
	size_t n;
};

#define TODO_CLOSED { .trigger = { -1, -1 }, .disk = DISK_CLOSED }	/* can be freed */

/* Fill in q, log, clean, preprocessed, arg, splitter.{q,routes,log} before; becomes the owner of
 * CLEAN_TODO. */
void todo_init(struct todo *t);
/* The first scan is due now. */
void todo_start(struct todo *t);
/* No new batch from now on. */
void todo_stop(struct todo *t);
void todo_watch(const struct todo *t, struct waitset *w);
/* One bounded piece of work. */
void todo_step(struct todo *t, const struct waitset *w);
void todo_free(struct todo *t);

#endif
