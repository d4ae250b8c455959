/* opensmtpd - preloaded into OpenSMTPD.  It listens with a queue of five connections, built in, so
 * that clients that come together would wait a second and more for their second SYN: here it is
 * 1,024.  With BENCH_SYNC=1 it syncs what it accepts, which it never does: a message in its queue
 * is complete with the rename of its directory; its files are synced before, the directory above
 * after it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int
listen(int fd, int backlog)
{
	(void)backlog;
	return (int)syscall(SYS_listen, fd, 1024);
}

static void
sync_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fsync(fd) == -1)
		abort();
	close(fd);
}

static void
sync_files(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (dir == NULL)
		abort();
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			sync_at(dirfd(dir), entry->d_name);
	closedir(dir);
}

int
rename(const char *from, const char *to)
{
	char above[PATH_MAX];
	const char *slash = strrchr(to, '/');
	int rc, message = getenv("BENCH_SYNC") != NULL && strstr(from, "incoming/") != NULL &&
	    strstr(to, "queue/") != NULL && slash != NULL;

	if (message)
		snprintf(above, sizeof above, "%.*s", (int)(slash - to), to);
	/* If that is not there yet, it will be made, and this comes again. */
	if (message && access(above, F_OK) == 0)
		sync_files(from);
	rc = (int)syscall(SYS_rename, from, to);
	if (message && rc == 0)
		sync_at(AT_FDCWD, above);
	return rc;
}
