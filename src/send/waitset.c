/* waitset - what the loop waits for. */
#include "send/waitset.h"

#include <assert.h>
#include <errno.h>

#include "lib/date.h"
#include "lib/deadline.h"

#define WALL_MAX_S 86400	/* longest sleep, so that a clock that was set is noticed */

void
waitset_begin(struct waitset *w)
{
	w->n = 0;
	w->until = DEADLINE_NONE;
}

void
waitset_fd(struct waitset *w, int fd, short events)
{
	if (fd == -1)
		return;
	assert(w->n < WAITSET_MAX);
	w->fds[w->n++] = (struct pollfd){ .fd = fd, .events = events };
}

void
waitset_until(struct waitset *w, int64_t deadline)
{
	w->until = deadline_first(w->until, deadline);
}

void
waitset_now(struct waitset *w)
{
	w->until = 0;
}

void
waitset_wall(struct waitset *w, int64_t t)
{
	int64_t now = date_now();
	int64_t wait_s = t <= now ? 0 : t > now + WALL_MAX_S ? WALL_MAX_S : t - now;

	waitset_until(w, deadline_after(wait_s * 1000));
}

int
waitset_sleep(struct waitset *w)
{
	if (poll(w->fds, w->n, deadline_poll(w->until)) != -1)
		return 0;
	for (size_t i = 0; i < w->n; i++)
		w->fds[i].revents = 0;
	return errno == EINTR ? 0 : -1;
}

bool
waitset_ready(const struct waitset *w, int fd, short events)
{
	for (size_t i = 0; fd != -1 && i < w->n; i++)
		if (w->fds[i].fd == fd &&
		    w->fds[i].revents & (events | POLLERR | POLLHUP | POLLNVAL))
			return true;
	return false;
}
