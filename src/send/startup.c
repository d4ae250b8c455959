/* startup - what the queue holds when qmail-send starts. */
#include "send/startup.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/date.h"
#include "lib/deadline.h"
#include "send/send.h"

static const enum qdir stages[] = { Q_INFO, Q_LOCAL, Q_REMOTE, Q_BOUNCE };

#define STAGES (sizeof stages / sizeof *stages)

bool
startup_over(const struct send *s)
{
	return s->startup.stage == STAGES;
}

/* ---- one message ---- */

/* Looks at N again later.  -1: no memory. */
static int
recheck_later(struct send *s, uint64_t id)
{
	return heap_set(&s->sched.recheck, id, date_now() + SCHED_TROUBLE_S);
}

static int
stat_failed(struct send *s, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	activity_warn(&s->log, "unable to stat ", qlayout_path(&s->q, path, dir, id),
	    "; will try again later");
	return recheck_later(s, id);
}

static bool
is_scheduled(const struct send *s, uint64_t id)
{
	int64_t due;

	return heap_get(&s->sched.channel[CHANNEL_LOCAL], id, &due) ||
	    heap_get(&s->sched.channel[CHANNEL_REMOTE], id, &due) ||
	    heap_get(&s->sched.done, id, &due);
}

/* Schedules a preprocessed message on the channels whose files exist.  Without its text it is
 * removed at once: by the time it is due the number may be that of a new message, which would go to
 * the recipients of the old one.  -1: no memory. */
static int
schedule(struct send *s, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st[CHANNELS];
	bool exists[CHANNELS], any = false;
	int text = qlayout_exists(&s->q, Q_MESS, id);

	if (text == -1)
		return stat_failed(s, Q_MESS, id);
	if (text == 0) {
		done_purge(s, id);
		return 0;
	}
	for (int c = 0; c < CHANNELS; c++) {
		enum qdir dir = jobs_channel_dir((enum channel)c);

		exists[c] = stat(qlayout_path(&s->q, path, dir, id), &st[c]) == 0;
		if (!exists[c] && errno != ENOENT)
			return stat_failed(s, dir, id);
		any |= exists[c];
	}
	for (int c = 0; c < CHANNELS; c++)
		if (exists[c] && jobs_schedule(s, (enum channel)c, id,
		    s->startup.hurried ? date_now() : sched_time(st[c].st_mtime)) == -1)
			return -1;
	return any ? 0 : done_add(s, id, date_now());
}

/* It was in todo and is not any more.  Only qmail-clean's answer would have told that this is on
 * disk; before that the message must not be delivered, or its number come free.  -1: no memory. */
static int
take_removed(struct send *s, uint64_t id)
{
	char dir[QLAYOUT_PATH_SIZE];

	if (s->q.one_journal || qlayout_sync_dir(&s->q, Q_TODO, id) == 0)
		return schedule(s, id);
	activity_warn(&s->log, "trouble fsyncing ", qlayout_dir_of(&s->q, dir, Q_TODO, id), NULL);
	return recheck_later(s, id);
}

/* -1: no memory. */
static int
take_message(struct send *s, uint64_t id)
{
	int todo;

	if (is_scheduled(s, id))
		return 0;
	/* What is in todo will be preprocessed again from the start; unless a qmail-clean that
	 * outlived our predecessor is just removing that entry. */
	if ((todo = qlayout_exists(&s->q, Q_TODO, id)) == 1)
		return recheck_later(s, id);
	return todo == -1 ? stat_failed(s, Q_TODO, id) : schedule(s, id);
}

/* A channel or bounce file needs an info file, or a todo entry from which that will be made.  As
 * nothing is preprocessed before this scan has ended, neither can come up under us. */
static void
take_file(struct send *s, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	if (qlayout_exists(&s->q, Q_INFO, id) != 0 || qlayout_exists(&s->q, Q_TODO, id) != 0)
		return;
	if (qlayout_remove(&s->q, dir, id) == -1)
		activity_warn(&s->log, "unable to unlink ", qlayout_path(&s->q, path, dir, id),
		    NULL);
}

/* ---- scanning ---- */

static bool
next_file(struct startup *u, uint64_t *id)
{
	if (u->held) {
		u->held = false;
		*id = u->held_id;
		return true;
	}
	return qlayout_scan_next(&u->scan, id) == 1;
}

static void
end_stage(struct send *s)
{
	struct startup *u = &s->startup;

	u->scanning = false;
	if (u->scan.failed) {
		/* Again from its beginning: what is scheduled already stays as it is. */
		activity_opendir(&s->log, u->scan.failed_dir);
		u->retry_at = deadline_after(STARTUP_TROUBLE_MS);
	} else {
		u->stage++;
	}
}

static void
slice(struct send *s)
{
	struct startup *u = &s->startup;
	enum qdir dir = stages[u->stage];
	int64_t until = deadline_after(STARTUP_SLICE_MS);
	uint64_t id;

	if (!u->scanning)
		qlayout_scan_start(&u->scan, &s->q, dir);
	u->scanning = true;
	for (int n = 0; n < STARTUP_SLICE && deadline_now() < until; n++) {
		if (!next_file(u, &id)) {
			end_stage(s);
			return;
		}
		if (dir != Q_INFO) {
			take_file(s, dir, id);
		} else if (take_message(s, id) == -1) {
			activity_memory(&s->log);
			u->held = true;
			u->held_id = id;
			u->retry_at = deadline_after(STARTUP_TROUBLE_MS);
			return;
		}
	}
}

/* ---- those looked at again ---- */

static void
recheck(struct send *s)
{
	int64_t now = date_now();
	struct heap_item item;

	for (int n = 0; n < STARTUP_SLICE && heap_first(&s->sched.recheck, &item) &&
	    item.due <= now; n++) {
		(void)heap_remove(&s->sched.recheck, item.key);
		/* Still in todo: it is qmail-todo's now, and will be announced. */
		if (qlayout_exists(&s->q, Q_INFO, item.key) == 0 ||
		    qlayout_exists(&s->q, Q_TODO, item.key) == 1 || is_scheduled(s, item.key))
			continue;
		if (take_removed(s, item.key) == -1) {
			activity_memory(&s->log);
			(void)!recheck_later(s, item.key);	/* there is room: see above */
		}
	}
}

void
startup_step(struct send *s)
{
	if (s->stopping)
		return;
	if (!startup_over(s) && deadline_now() >= s->startup.retry_at)
		slice(s);
	recheck(s);
}

void
startup_watch(const struct send *s, struct waitset *w)
{
	struct heap_item item;

	if (s->stopping)
		return;
	if (!startup_over(s))
		waitset_until(w, s->startup.retry_at);
	if (heap_first(&s->sched.recheck, &item))
		waitset_wall(w, item.due);
}
