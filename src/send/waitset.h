/* waitset - what the loop of qmail-send and qmail-todo waits for: descriptors and the earliest of
 * several times.  Filled anew for every turn; each module adds what it needs and looks up the
 * outcome afterwards. */
#ifndef SEND_WAITSET_H
#define SEND_WAITSET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

#define WAITSET_MAX 64

struct waitset {
	struct pollfd fds[WAITSET_MAX];
	size_t n;
	int64_t until;		/* monotonic ms (lib/deadline.h) */
};

void waitset_begin(struct waitset *w);
/* fd -1 is ignored. */
void waitset_fd(struct waitset *w, int fd, short events);
void waitset_until(struct waitset *w, int64_t deadline);
/* There is work already: look at the descriptors, but do not sleep. */
void waitset_now(struct waitset *w);
/* Not later than when the wall clock shows t (seconds). */
void waitset_wall(struct waitset *w, int64_t t);
/* Sleeps.  -1 with errno; a signal counts as success. */
MUST_CHECK int waitset_sleep(struct waitset *w);
/* Is the descriptor ready for one of these events, or broken?  false if it was not waited for. */
bool waitset_ready(const struct waitset *w, int fd, short events);

#endif
