/* fsops - making files and names durable. */
#include "lib/fsops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/sys.h"

int
fsops_sync(int fd)
{
	struct stat st;
	int r, error;

	do
		r = fsync(fd);
	while (r == -1 && errno == EINTR);
	if (r == 0)
		return 0;
	error = errno;
	if ((error == EINVAL || error == ENOTSUP || error == EROFS) && fstat(fd, &st) == 0 &&
	    !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	errno = error;
	return -1;
}

int
fsops_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r, error;

	if (fd == -1)
		return -1;
	r = fsops_sync(fd);
	error = errno;
	(void)close(fd);	/* opened for reading: nothing to lose */
	errno = error;
	return r;
}

int
fsops_sync_parent(const char *path)
{
	struct span s = span_str(path);
	size_t slash = span_rchr(s, '/');
	struct buf dir = { 0 };
	int r = -1;

	if (slash == s.n)
		buf_adds(&dir, ".");
	else
		buf_add(&dir, path, slash ? slash : 1);
	if (buf_ok(&dir))
		r = fsops_sync_dir(buf_str(&dir));
	else
		errno = ENOMEM;
	buf_free(&dir);
	return r;
}

int
fsops_sync_names(int file)
{
	return sys_fs(file) == SYS_FS_BTRFS ? fsops_sync(file) : 0;
}

int
fsops_sync_entry(const char *path, int file)
{
	int fd, r, error;

	if (file != -1 && fsops_sync_names(file) == -1)
		return -1;
	if (fsops_sync_parent(path) == 0)
		return 0;
	if (errno != EACCES && errno != EINVAL)
		return -1;
	if (file != -1)
		return sys_syncfs(file);
	if ((fd = fsops_open_read(path)) == -1)
		return -1;
	r = sys_syncfs(fd);
	error = errno;
	(void)close(fd);
	errno = error;
	return r;
}

int
fsops_publish(int fd, const char *from, const char *to)
{
	int error;

	if (fsops_sync(fd) == -1) {
		error = errno;
		(void)close(fd);
	} else if (close(fd) == -1 || rename(from, to) == -1) {
		error = errno;
	} else {
		return fsops_sync_parent(to);
	}
	(void)unlink(from);
	errno = error;
	return -1;
}

static int
open_read(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags);

	if (fd != -1)
		(void)fcntl(fd, F_SETFL, O_RDONLY);
	return fd;
}

int
fsops_open_read(const char *path)
{
	return open_read(path, 0);
}

int
fsops_open_regular(const char *path)
{
	int fd = open_read(path, O_NOFOLLOW);
	struct stat st;

	if (fd == -1) {
		if (errno == ELOOP)
			errno = EPERM;
	} else if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		errno = EPERM;
		fd = -1;
	}
	return fd;
}

bool
fsops_is_named(const char *path)
{
	int error = errno;
	struct stat st;
	bool named = lstat(path, &st) == 0 || errno != ENOENT;

	errno = error;
	return named;
}

bool
fsops_leads_to(const char *path, int fd)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
	    ours.st_ino == named.st_ino;
}

int
fsops_create(const char *path, mode_t mode)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}
