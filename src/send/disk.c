/* disk - is the file system of the queue there, and can new mail be written to it? */
#include "send/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/deadline.h"

void
disk_open(struct disk *d)
{
	*d = (struct disk)DISK_CLOSED;
	d->mounts_fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
}

void
disk_close(struct disk *d)
{
	if (d->mounts_fd != -1)
		(void)close(d->mounts_fd);
	*d = (struct disk)DISK_CLOSED;
}

void
disk_want(struct disk *d)
{
	d->wanted = true;
}

void
disk_watch(const struct disk *d, struct waitset *w)
{
	waitset_fd(w, d->mounts_fd, POLLPRI);
	if (d->wanted)
		waitset_until(w, d->next_try);
}

/* Would whoever comes now find the directory that we work in? */
static bool
is_in_place(void)
{
	struct stat theirs, ours;

	return stat(QMAIL_HOME "/queue", &theirs) == 0 && stat(".", &ours) == 0 &&
	    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static void
look_at_mounts(struct activity *log)
{
	if (is_in_place())
		log->quiet_until[CAUSE_MOUNT] = deadline_now();	/* the next time is news again */
	else if (activity_may(log, CAUSE_MOUNT))
		activity_alert(log, "queue directory in use is out of reach for new mail: "
		    "is its file system mounted?");
}

/* 0, or errno of what a writer would meet. */
static int
trouble(const struct qlayout *q)
{
	struct statvfs fs;

	if (statvfs(".", &fs) == -1 || qlayout_sync_dir(q, Q_TODO, 0) == -1)
		return errno;
	if (fs.f_flag & ST_RDONLY)
		return EROFS;
	return fs.f_bavail == 0 || (fs.f_files && fs.f_favail == 0) ? ENOSPC : 0;
}

void
disk_step(struct disk *d, const struct waitset *w, const struct qlayout *q,
    struct activity *log)
{
	int error;

	if (waitset_ready(w, d->mounts_fd, POLLPRI))
		look_at_mounts(log);
	if (!d->wanted || deadline_now() < d->next_try)
		return;
	d->wanted = false;
	d->next_try = deadline_after(ACTIVITY_QUIET_MS);
	if ((error = trouble(q)) != 0)
		activity_queue(log, error);
}
