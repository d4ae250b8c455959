/* rebuild - a database made anew from its source. */
#include "lib/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/fsops.h"
#include "lib/lock.h"

/* The temporary file is also the lock between two of us: the one that waited finds that its file
 * has become the result, and begins again. */
int
rebuild_begin(const char *temporary, mode_t mode)
{
	const int64_t deadline = deadline_after(REBUILD_WAIT_MS);

	for (;;) {
		int error, fd = open(temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
		bool locked, current;

		if (fd == -1)
			return -1;
		locked = lock_until(fd, false, deadline) == 0;
		current = locked && fsops_leads_to(temporary, fd);
		if (current && ftruncate(fd, 0) == 0)
			return fd;
		error = errno;
		(void)close(fd);
		errno = error;
		if (!locked || current)
			return -1;
	}
}

enum rebuild_status
rebuild_publish(int fd, const char *temporary, const char *target)
{
	if (fsops_sync(fd) == -1)
		return REBUILD_WRITE;
	if (rename(temporary, target) == -1)
		return REBUILD_MOVE;
	if (close(fd) == -1 || fsops_sync_parent(target) == -1)
		return REBUILD_DIRECTORY;
	return REBUILD_OK;
}
