/* startup - what the queue holds when qmail-send starts: every message of info goes on the
 * schedule, at the times its channel files carry; then files that belong to no message are removed.
 * Done in slices, so that deliveries begin at once however long the queue is. */
#ifndef SEND_STARTUP_H
#define SEND_STARTUP_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/qlayout.h"
#include "send/waitset.h"

#define STARTUP_SLICE 1000	/* files of one turn, */
#define STARTUP_SLICE_MS 20	/* or as many as take this long */
#define STARTUP_TROUBLE_MS 10000

struct send;

struct startup {
	unsigned stage;		/* 0 info, 1 local, 2 remote, 3 bounce, 4 over */
	struct qlayout_scan scan;
	bool scanning;
	int64_t retry_at;	/* monotonic ms, after trouble */
	bool held;		/* held_id could not be scheduled for want of memory */
	uint64_t held_id;
	bool hurried;		/* ALRM came: what is still to be found is due at once as well */
};

bool startup_over(const struct send *s);
void startup_watch(const struct send *s, struct waitset *w);
/* One slice; also those messages that are to be looked at again. */
void startup_step(struct send *s);

#endif
