/* sweep - removes what qmail-queue processes left behind that were killed: names in pid/, and
 * envelopes in intd/ without a message.  Only what is older than QLAYOUT_SWEEP_AGE_S by all its
 * times.  (mess/ is swept by qmail-send, which can see info/.)  cwd = the queue directory. */
#ifndef QUEUE_SWEEP_H
#define QUEUE_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/qlayout.h"

#define SWEEP_INTD_EVERY_S 76431	/* between two walks through intd */
#define SWEEP_STEP 256			/* entries of intd looked at in one call */

/* {0} to start. */
struct sweep {
	int64_t pid_read, pid_due;	/* when pid was read, and when a name may be old */
	bool walking;
	int64_t next_walk;
	struct qlayout_scan intd;	/* borrows q from the first call of a walk to its last */
};

/* Does pid, where it may hold something old, and the next entries of intd.  now: wall clock; if it
 * was set back, pid is read again.  Trouble is ignored: what could not be removed now may be
 * another time. */
void sweep_step(struct sweep *s, const struct qlayout *q, int64_t now);
void sweep_end(struct sweep *s);

#endif
