/* sched - when what is due.  Times are seconds of the wall clock: the next attempt of a channel is
 * kept as the mtime of its file while qmail-send does not run. */
#ifndef SEND_SCHED_H
#define SEND_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/heap.h"
#include "mail/route.h"

#define SCHED_TROUBLE_S 123	/* after a failure of the system */
#define SCHED_MEMORY_S 10	/* after a want of memory */
#define SCHED_BOUNCE_MAX_S 3600	/* longest pause between attempts to queue a bounce */

struct sched {
	struct heap channel[CHANNELS];	/* HEAP_NEVER: a job is working on it */
	struct heap done;		/* no recipients left; HEAP_NEVER: has a bounce to queue */
	struct heap bounce;		/* of those the ones that wait for their turn */
	struct heap recheck;		/* looked at again as at the start */
};

/* The next attempt of a message born at `birth` whose pass starts now: the age in local attempts is
 * 0, 100, 400, 900... s, in remote ones 0, 400, 1600, 3600... s. */
int64_t sched_retry(enum channel channel, int64_t birth, int64_t now);
/* Is this pass the last one? */
bool sched_dying(int64_t birth, int64_t now, uint64_t lifetime_s);
/* Seconds to the next attempt to queue a bounce whose last recipient failed age_s ago: as long as
 * it waits already, within SCHED_TROUBLE_S and SCHED_BOUNCE_MAX_S. */
int64_t sched_bounce_pause(int64_t age_s);
/* A time from the file system, as a time on the schedule. */
int64_t sched_time(int64_t t);
/* Is this message on the schedule of a channel, or without recipients left? */
bool sched_has(const struct sched *s, uint64_t id);
void sched_free(struct sched *s);

#endif
