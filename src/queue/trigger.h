/* trigger - the FIFO lock/trigger that wakes the todo scanner.  cwd = the queue directory. */
#ifndef QUEUE_TRIGGER_H
#define QUEUE_TRIGGER_H

#include "lib/attr.h"

/* Writes one NUL byte; every error is ignored (nobody listening only delays the message). */
void trigger_pull(void);

/* The scanner's side: {-1, -1} at first. */
struct trigger {
	int read_fd, hold_fd;	/* hold_fd: a writer of our own, for systems where a FIFO without
				 * writers polls readable */
};
/* (Re)opens it; pulls made before are forgotten, so scan todo afterwards.  -1 with errno. */
MUST_CHECK int trigger_reset(struct trigger *t);
void trigger_close(struct trigger *t);

#endif
