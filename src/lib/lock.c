/* lock - locks on files that others may hold for longer than one can wait. */
#include "lib/lock.h"

#include <errno.h>
#include <poll.h>

#include "lib/deadline.h"
#include "lib/sys.h"

#define LOOK_MS 20

int
lock_until(int fd, bool shared, int64_t deadline)
{
	while ((shared ? sys_flock_shared_try(fd) : sys_flock_try(fd)) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (deadline_poll(deadline) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
	return 0;
}
