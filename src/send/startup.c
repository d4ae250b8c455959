/* startup - what the queue holds when qmail-send starts. */
#include "send/startup.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/date.h"
#include "lib/deadline.h"
#include "send/send.h"

/* What is known of a message in the list; a channel's file is 1 << channel. */
#define IN_TODO 0x10
#define HAS_TEXT 0x20
#define SETTLED 0x40	/* nothing more to do for it here */

#define ALL_CHANNELS ((1U << CHANNELS) - 1)

_Static_assert(1U << CHANNELS <= IN_TODO, "a bit for each channel");

/* The directories, what being listed there means, and whether a file there must belong to a
 * message. */
static const struct {
	enum qdir dir;
	unsigned char flag;
	bool owned;
} stages[] = {
	[STARTUP_INFO] = { Q_INFO, 0, false },
	[STARTUP_TODO] = { Q_TODO, IN_TODO, false },
	[STARTUP_MESS] = { Q_MESS, HAS_TEXT, false },
	[STARTUP_LOCAL] = { Q_LOCAL, 1U << CHANNEL_LOCAL, true },
	[STARTUP_REMOTE] = { Q_REMOTE, 1U << CHANNEL_REMOTE, true },
	[STARTUP_BOUNCE] = { Q_BOUNCE, 0, true },
};

bool
startup_listed(const struct send *s)
{
	return s->startup.stage >= STARTUP_SCHEDULE;
}

bool
startup_over(const struct send *s)
{
	return s->startup.stage == STARTUP_OVER;
}

void
startup_free(struct startup *u)
{
	snapshot_free(&u->list);
	qlayout_scan_stop(&u->scan);
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

/* On both channels that have a time, or on none.  -1: no memory. */
static int
schedule_at(struct send *s, uint64_t id, const int64_t due[CHANNELS])
{
	for (int c = 0; c < CHANNELS; c++) {
		if (due[c] == HEAP_NEVER || jobs_schedule(s, (enum channel)c, id, due[c]) == 0)
			continue;
		for (int done = 0; done < c; done++)
			(void)heap_remove(&s->sched.channel[done], id);
		return -1;
	}
	return 0;
}

/* Schedules a preprocessed message on those of the channels whose file exists.  -1: no memory. */
static int
schedule(struct send *s, uint64_t id, unsigned channels)
{
	int64_t due[CHANNELS] = { HEAP_NEVER, HEAP_NEVER };
	char path[QLAYOUT_PATH_SIZE];
	bool any = false;
	struct stat st;

	for (int c = 0; c < CHANNELS; c++) {
		enum qdir dir = jobs_channel_dir((enum channel)c);

		if (!(channels & 1U << c))
			continue;
		if (stat(qlayout_path(&s->q, path, dir, id), &st) == 0) {
			due[c] = s->startup.hurried ? date_now() : sched_time(st.st_mtime);
			any = true;
		} else if (errno != ENOENT) {
			return stat_failed(s, dir, id);
		}
	}
	return any ? schedule_at(s, id, due) : done_add(s, id, date_now());
}

/* A message without its text is removed at once: by the time it is due the number may be that of a
 * new message, which would go to the recipients of the old one.  1: the text is there; 0: it is
 * not, or will be looked for later; -1: no memory. */
static int
has_text(struct send *s, uint64_t id)
{
	int text = qlayout_exists(&s->q, Q_MESS, id);

	if (text == -1)
		return stat_failed(s, Q_MESS, id);
	if (text == 0)
		done_purge(s, id);
	return text;
}

/* -1: no memory. */
static int
take_deliverable(struct send *s, uint64_t id)
{
	int text = has_text(s, id);

	return text == 1 ? schedule(s, id, ALL_CHANNELS) : text;
}

/* It was in todo and is not any more.  Only qmail-clean's answer would have told that this is on
 * disk; before that the message must not be delivered, or its number come free.  -1: no memory. */
static int
take_removed(struct send *s, uint64_t id)
{
	char dir[QLAYOUT_PATH_SIZE];

	if (s->q.one_journal || qlayout_sync_dir(&s->q, Q_TODO, id) == 0)
		return take_deliverable(s, id);
	activity_warn(&s->log, "trouble fsyncing ", qlayout_dir_of(&s->q, dir, Q_TODO, id), NULL);
	return recheck_later(s, id);
}

/* Without a list.  -1: no memory. */
static int
take_message(struct send *s, uint64_t id)
{
	int todo;

	if (sched_has(&s->sched, id))
		return 0;
	/* What is in todo will be preprocessed again from the start; unless a qmail-clean that
	 * outlived our predecessor is just removing that entry. */
	if ((todo = qlayout_exists(&s->q, Q_TODO, id)) == 1)
		return recheck_later(s, id);
	return todo == -1 ? stat_failed(s, Q_TODO, id) : take_deliverable(s, id);
}

/* A channel or bounce file needs an info file, or a todo entry from which that will be made. */
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

/* ---- reading directories ---- */

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
no_memory(struct send *s)
{
	activity_memory(&s->log);
	s->startup.retry_at = deadline_after(STARTUP_TROUBLE_MS);
}

/* What hinders us is met again there, and said. */
static void
go_one_by_one(struct startup *u)
{
	startup_free(u);
	u->scanning = false;
	u->one_by_one = true;
	u->stage = STARTUP_INFO;
}

/* That those which are not in todo any more have left it must be on disk before they are delivered
 * or a number comes free: qmail-clean had perhaps no time for it. */
static bool
sync_todo(struct send *s)
{
	uint64_t n = qlayout_is_split(&s->q, Q_TODO) ? QUEUE_SPLIT : 1;
	char dir[QLAYOUT_PATH_SIZE];

	for (uint64_t sub = 0; sub < n && !s->q.one_journal; sub++)
		if (qlayout_sync_dir(&s->q, Q_TODO, sub) == -1) {
			activity_warn(&s->log, "trouble fsyncing ",
			    qlayout_dir_of(&s->q, dir, Q_TODO, sub), NULL);
			return false;
		}
	return true;
}

static void
next_stage(struct startup *u)
{
	u->at = 0;
	u->stage++;
	if (u->one_by_one && u->stage == STARTUP_TODO)
		u->stage = STARTUP_LOCAL;	/* todo and mess were looked at */
}

/* A directory was read.  Trouble: again from its beginning; what is known already stays. */
static void
end_directory(struct send *s)
{
	struct startup *u = &s->startup;

	u->scanning = false;
	if (!u->one_by_one && (u->scan.failed ||
	    (u->stage == STARTUP_INFO && snapshot_finish(&u->list) == -1))) {
		go_one_by_one(u);
	} else if (u->scan.failed) {
		activity_opendir(&s->log, u->scan.failed_dir);
		u->retry_at = deadline_after(STARTUP_TROUBLE_MS);
	} else if (u->stage == STARTUP_TODO && !sync_todo(s)) {
		u->retry_at = deadline_after(STARTUP_TROUBLE_MS);
	} else {
		next_stage(u);
	}
}

/* -1: not now. */
static int
take_info(struct send *s, uint64_t id)
{
	struct startup *u = &s->startup;

	if (!u->one_by_one) {
		if (snapshot_add(&u->list, id) == -1)
			go_one_by_one(u);
		return 0;
	}
	if (take_message(s, id) == 0)
		return 0;
	u->held = true;
	u->held_id = id;
	no_memory(s);
	return -1;
}

static void
take_entry(struct send *s, uint64_t id)
{
	struct startup *u = &s->startup;
	unsigned char *flags = snapshot_find(&u->list, id);

	if (flags)
		*flags |= stages[u->stage].flag;
	else if (stages[u->stage].owned)
		take_file(s, stages[u->stage].dir, id);
}

static bool
slice_goes_on(int n, int64_t until)
{
	return n < STARTUP_SLICE && (n % 16 || deadline_now() < until);
}

static void
read_slice(struct send *s, int64_t until)
{
	struct startup *u = &s->startup;
	enum startup_stage stage = u->stage;
	uint64_t id;

	if (!u->scanning)
		qlayout_scan_start(&u->scan, &s->q, stages[stage].dir);
	u->scanning = true;
	for (int n = 0; slice_goes_on(n, until) && u->scanning; n++) {
		if (!next_file(u, &id))
			end_directory(s);
		else if (stage != STARTUP_INFO)
			take_entry(s, id);
		else if (take_info(s, id) == -1)
			return;
	}
}

/* ---- going through the list ---- */

/* Before preprocessing starts: those that are not to be scheduled.  -1: no memory. */
static int
settle_message(struct send *s, uint64_t id, unsigned char *flags)
{
	int text;

	if (*flags & IN_TODO) {
		*flags |= SETTLED;
		return recheck_later(s, id);
	}
	if (*flags & HAS_TEXT)
		return 0;
	if ((text = has_text(s, id)) == 0)
		*flags |= SETTLED;
	return text == -1 ? -1 : 0;
}

/* -1: no memory. */
static int
schedule_message(struct send *s, uint64_t id, unsigned char flags)
{
	if (flags & SETTLED || sched_has(&s->sched, id))
		return 0;
	return schedule(s, id, flags & ALL_CHANNELS ? flags & ALL_CHANNELS : ALL_CHANNELS);
}

static void
list_slice(struct send *s, int64_t until)
{
	struct startup *u = &s->startup;

	for (int n = 0; slice_goes_on(n, until) && u->at < u->list.n; n++, u->at++) {
		uint64_t id = u->list.ids[u->at];
		unsigned char *flags = &u->list.flags[u->at];

		if ((u->stage == STARTUP_SETTLE ? settle_message(s, id, flags)
		    : schedule_message(s, id, *flags)) == -1) {
			no_memory(s);
			return;
		}
	}
	if (u->at < u->list.n)
		return;
	next_stage(u);
	if (startup_over(s))
		startup_free(u);
}

static void
slice(struct send *s)
{
	int64_t until = deadline_after(STARTUP_SLICE_MS);

	if (s->startup.stage <= STARTUP_BOUNCE)
		read_slice(s, until);
	else
		list_slice(s, until);
}

/* ---- those looked at again ---- */

static void
recheck(struct send *s)
{
	int64_t now = date_now();
	struct heap_item item;
	int todo;

	for (int n = 0; n < STARTUP_SLICE && heap_first(&s->sched.recheck, &item) &&
	    item.due <= now; n++) {
		(void)heap_remove(&s->sched.recheck, item.key);
		todo = qlayout_exists(&s->q, Q_TODO, item.key);
		/* Still in todo: it is qmail-todo's now, and will be announced. */
		if (todo == 1 || qlayout_exists(&s->q, Q_INFO, item.key) == 0 ||
		    sched_has(&s->sched, item.key))
			continue;
		if ((todo == -1 ? stat_failed(s, Q_TODO, item.key)
		    : take_removed(s, item.key)) == -1) {
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
