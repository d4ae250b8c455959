/* trigger - the FIFO lock/trigger that wakes the todo scanner. */
#include "queue/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/io.h"
#include "queue/qlayout.h"

void
trigger_pull(void)
{
	int fd = open(QLAYOUT_TRIGGER, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)io_write(fd, "", 1);
	(void)close(fd);
}

int
trigger_reset(struct trigger *t)
{
	int error;

	trigger_close(t);
	t->read_fd = open(QLAYOUT_TRIGGER, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (t->read_fd == -1)
		return -1;
	t->hold_fd = open(QLAYOUT_TRIGGER, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (t->hold_fd != -1)
		return 0;
	error = errno;
	trigger_close(t);
	errno = error;
	return -1;
}

void
trigger_close(struct trigger *t)
{
	if (t->read_fd != -1)
		(void)close(t->read_fd);
	if (t->hold_fd != -1)
		(void)close(t->hold_fd);
	*t = (struct trigger){ -1, -1 };
}
