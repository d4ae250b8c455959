/* sweep - removes what qmail-queue processes left behind that were killed. */
#include "queue/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
sweep_pid(struct sweep *s, int64_t now)
{
	DIR *dir;
	const struct dirent *entry;
	struct stat st;

	/* Reading it waits for those who create names there; so it is read when one may be old. */
	if (now >= s->pid_read && now < s->pid_due)
		return;
	s->pid_read = now;
	s->pid_due = now + QLAYOUT_SWEEP_AGE_S;		/* for names to come */
	if ((dir = opendir(qlayout_name(Q_PID))) == NULL) {
		s->pid_due = now;
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (qlayout_is_old(&st, now))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
		if (qlayout_old_at(&st) < s->pid_due)
			s->pid_due = qlayout_old_at(&st);
	}
	(void)closedir(dir);
}

static void
sweep_intd(const struct qlayout *q, uint64_t id, int64_t now)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	if (stat(qlayout_path(q, path, Q_INTD, id), &st) == 0 && qlayout_is_old(&st, now) &&
	    qlayout_exists(q, Q_MESS, id) == 0 && qlayout_exists(q, Q_TODO, id) == 0)
		(void)unlink(path);
}

void
sweep_step(struct sweep *s, const struct qlayout *q, int64_t now)
{
	uint64_t id;

	sweep_pid(s, now);
	if (!s->walking) {
		if (now < s->next_walk)
			return;
		s->next_walk = now + SWEEP_INTD_EVERY_S;
		/* In a queue that is not whole, "no message" may mean that it is elsewhere. */
		if (qlayout_verify(q) != NULL)
			return;
		qlayout_scan_start(&s->intd, q, Q_INTD);
		s->walking = true;
	}
	for (int n = 0; n < SWEEP_STEP; n++) {
		if (!qlayout_scan_next(&s->intd, &id)) {
			sweep_end(s);
			return;
		}
		sweep_intd(q, id, now);
	}
}

void
sweep_end(struct sweep *s)
{
	if (s->walking)
		qlayout_scan_stop(&s->intd);
	s->walking = false;
}
