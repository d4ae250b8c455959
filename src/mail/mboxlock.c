/* mboxlock - opening and locking an mbox.  All locks are tried without waiting and given back
 * together, so that two programs which take them in different orders cannot wait for each other. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/date.h"
#include "lib/fsops.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "mail/mboxfmt.h"

#define FIRST_PAUSE_MS 5
#define LAST_PAUSE_MS 160
#define REOPENS 100		/* renames under our feet that we put up with */

static const char *const spools[] = { "/var/mail/", "/var/spool/mail/" };

enum attempt { GOT, BUSY, CANNOT };

static bool
in_spool(const char *path)
{
	for (size_t i = 0; i < sizeof spools / sizeof spools[0]; i++) {
		size_t n = strlen(spools[i]);

		if (strncmp(path, spools[i], n) == 0 && !strchr(path + n, '/'))
			return true;
	}
	return false;
}

/* Another program died and left it.  Ours never meet here, as each has a kernel lock by then; a
 * program of others that breaks the same lock between this look and the unlink loses its new one,
 * which a dot-lock cannot prevent, and is kept out by the kernel lock if it takes one. */
static bool
is_stale(const char *dotlock)
{
	struct stat st;

	return lstat(dotlock, &st) == 0 &&
	    (int64_t)st.st_mtime < date_now() - MBOX_DOTLOCK_STALE_S;
}

static enum attempt
create_dotlock(const char *dotlock)
{
	char pid[NUM_U64_SIZE];
	int fd = fsops_create(dotlock, 0444);

	if (fd == -1 && errno == EEXIST && is_stale(dotlock) && unlink(dotlock) == 0)
		fd = fsops_create(dotlock, 0444);
	if (fd == -1)
		return errno == EEXIST ? BUSY : CANNOT;
	/* What is in it only helps people. */
	(void)!io_write_all(fd, pid, num_format(pid, (uint64_t)getpid()));
	(void)close(fd);
	return GOT;
}

static enum attempt
try_dotlock(struct mboxlock *l, const char *path)
{
	struct buf dotlock = { 0 };
	enum attempt result = CANNOT;

	if (!in_spool(path))
		return GOT;
	buf_adds(&dotlock, path);
	buf_adds(&dotlock, ".lock");
	if (buf_ok(&dotlock))
		result = create_dotlock(buf_str(&dotlock));
	if (result == GOT)
		l->dotlock = dotlock.p;
	else
		buf_free(&dotlock);
	return result == BUSY ? BUSY : GOT;	/* not permitted there: do without */
}

static enum attempt
try_fcntl(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_SETLK, &whole) == 0)
		return GOT;
	return errno == EACCES || errno == EAGAIN ? BUSY : CANNOT;
}

static void
unlock(int fd)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	int error = errno;

	(void)fcntl(fd, F_SETLK, &whole);
	(void)!sys_funlock(fd);
	errno = error;
}

static enum attempt
try_flock(int fd)
{
	if (sys_flock_try(fd) == 0)
		return GOT;
	return errno == EWOULDBLOCK ? BUSY : CANNOT;
}

/* One of the two kernel locks is enough to be protected from most; a busy one from none. */
static enum attempt
try_all(struct mboxlock *l, int fd, const char *path, bool nfs)
{
	enum attempt by_flock = nfs ? CANNOT : try_flock(fd);
	enum attempt by_fcntl = by_flock == BUSY ? BUSY : try_fcntl(fd);
	enum attempt result = by_flock == GOT || by_fcntl == GOT ? GOT : CANNOT;

	if (by_flock == BUSY || by_fcntl == BUSY || try_dotlock(l, path) == BUSY) {
		unlock(fd);
		return BUSY;
	}
	return result;
}

enum mboxlock_status
mboxlock_take(struct mboxlock *l, int fd, const char *path, int64_t deadline)
{
	bool nfs = sys_fs(fd) == SYS_FS_NFS;

	*l = (struct mboxlock){ 0 };
	for (long pause = FIRST_PAUSE_MS;; pause += pause < LAST_PAUSE_MS ? pause : 0) {
		const struct timespec t = { .tv_nsec = pause * 1000000 };
		enum attempt a = try_all(l, fd, path, nfs);

		if (a == GOT)
			l->held = true;
		if (a != BUSY)
			return a == GOT ? MBOXLOCK_OK : MBOXLOCK_FAILED;
		if (deadline_now() >= deadline)
			return MBOXLOCK_TIMEOUT;
		(void)nanosleep(&t, NULL);
	}
}

void
mboxlock_drop(struct mboxlock *l)
{
	int error = errno;

	if (l->dotlock)
		(void)unlink(l->dotlock);
	free(l->dotlock);
	*l = (struct mboxlock){ 0 };
	errno = error;
}

/* 0, or -1 with errno. */
static int
open_file(struct mbox *b, int access)
{
	const int flags = access | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;
	int error;

	b->fd = open(b->path, flags);
	b->fresh = b->fd == -1 && errno == ENOENT;
	if (b->fresh)
		b->fd = open(b->path, flags | O_CREAT, 0600);
	if (b->fd == -1)
		return -1;
	if (fstat(b->fd, &st) == 0) {
		b->regular = S_ISREG(st.st_mode);
		return 0;
	}
	error = errno;
	(void)close(b->fd);
	b->fd = -1;
	errno = error;
	return -1;
}

enum mbox_status
mbox_open(struct mbox *b, const char *path, int access, int64_t lock_deadline, int *unlocked)
{
	*b = (struct mbox){ .path = path, .fd = -1 };
	*unlocked = 0;
	for (int i = 0; i < REOPENS; i++) {
		enum mboxlock_status s;

		if (open_file(b, access) == -1)
			return MBOX_OPEN;
		if (!b->regular)
			return MBOX_OK;		/* nothing there that could be mixed up */
		s = mboxlock_take(&b->lock, b->fd, b->path, lock_deadline);
		if (s == MBOXLOCK_TIMEOUT)
			return MBOX_LOCKED;
		*unlocked = s == MBOXLOCK_OK ? 0 : errno;
		/* Somebody may have renamed a new one into place while we waited. */
		if (fsops_leads_to(b->path, b->fd))
			return MBOX_OK;
		mboxlock_drop(&b->lock);
		(void)close(b->fd);
		b->fd = -1;
	}
	return MBOX_LOCKED;
}

int
mbox_close(struct mbox *b)
{
	int r, error = errno;

	mboxlock_drop(&b->lock);
	r = b->fd == -1 ? 0 : close(b->fd);
	b->fd = -1;
	if (r == 0)
		errno = error;
	return r;
}
