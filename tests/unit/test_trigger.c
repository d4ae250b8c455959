/* trigger: pulls that are seen, pulls that are lost, pulls nobody waits for. */
#include "queue/trigger.h"

#include <poll.h>

#include "queuedir.h"
#include "tap.h"

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

int
main(void)
{
	struct trigger trigger = { -1, -1 };
	struct tap t = { 0 };
	char top[64];

	queuedir_enter(top, false);
	trigger_pull();
	ok(&t, true, "nobody waits: no harm");
	ok(&t, trigger_reset(&trigger) == 0 && !readable(trigger.read_fd), "quiet at first");
	trigger_pull();
	ok(&t, readable(trigger.read_fd), "pulled");
	for (int i = 0; i < 100000; i++)
		trigger_pull();
	ok(&t, readable(trigger.read_fd), "pulling a full pipe does not block");
	ok(&t, trigger_reset(&trigger) == 0 && !readable(trigger.read_fd), "old ones forgotten");
	trigger_pull();
	ok(&t, readable(trigger.read_fd), "new ones are not");
	trigger_close(&trigger);
	ok(&t, trigger.read_fd == -1 && trigger.hold_fd == -1, "closed");
	(void)unlink("lock/trigger");
	trigger_pull();
	ok(&t, trigger_reset(&trigger) == -1 && trigger.read_fd == -1, "no FIFO: told");
	queuedir_leave(top);
	return done(&t);
}
