/* done - messages without recipients left. */
#include "send/done.h"

#include <sys/stat.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/deadline.h"
#include "lib/fsops.h"
#include "send/send.h"

#define STEP_MAX 64	/* messages looked at in one turn */

int
done_add(struct send *s, uint64_t id, int64_t due)
{
	int64_t already;

	if (heap_get(&s->sched.done, id, &already) && already == HEAP_NEVER)
		return 0;	/* its bounce is being queued; it is looked at afterwards */
	return heap_set(&s->sched.done, id, due);
}

/* For an entry that is there, which cannot fail. */
static void
set_due(struct send *s, uint64_t id, int64_t due)
{
	(void)!heap_set(&s->sched.done, id, due);
}

static void
warn(struct send *s, const char *what, enum qdir dir, uint64_t id, const char *after)
{
	char path[QLAYOUT_PATH_SIZE];

	activity_warn(&s->log, what, qlayout_path(&s->q, path, dir, id), after);
}

/* ---- removing ---- */

static void
log_end(struct send *s, uint64_t id)
{
	struct buf *line = activity_begin(&s->log);

	buf_adds(line, "end msg ");
	buf_addnum(line, id);
	activity_end(&s->log);
}

/* Nothing is owed to anybody any more. */
static void
remove_message(struct send *s, uint64_t id)
{
	struct done *d = &s->done;

	if (d->n == DONE_BATCH) {
		set_due(s, id, date_now());
		return;
	}
	log_end(s, id);
	if (qlayout_remove(&s->q, Q_INFO, id) == -1) {
		warn(s, "unable to unlink ", Q_INFO, id, "; will try again later");
		set_due(s, id, date_now() + SCHED_TROUBLE_S);
		return;
	}
	(void)heap_remove(&s->sched.done, id);
	if (d->n == 0)
		d->flush_at = deadline_after(DONE_BATCH_MS);
	d->batch[d->n++] = id;
}

/* Unlinks bounce/N; false: logged, tried again later. */
static bool
remove_bounce(struct send *s, uint64_t id)
{
	if (qlayout_remove(&s->q, Q_BOUNCE, id) == -1) {
		warn(s, "unable to unlink ", Q_BOUNCE, id, "; will try again later");
		set_due(s, id, date_now() + SCHED_TROUBLE_S);
		return false;
	}
	s->done.bounce_removed = true;
	return true;
}

/* Syncs info/S of the i-th of the batch unless that was done for an earlier one; false: trouble. */
static bool
sync_info(struct send *s, size_t i, bool synced[QUEUE_SPLIT])
{
	char dir[QLAYOUT_PATH_SIZE];
	uint64_t sub = s->done.batch[i] % QUEUE_SPLIT;

	if (synced[sub] || s->q.one_journal)
		return true;
	synced[sub] = qlayout_sync_dir(&s->q, Q_INFO, s->done.batch[i]) == 0;
	if (!synced[sub])
		activity_warn(&s->log, "trouble fsyncing ",
		    qlayout_dir_of(&s->q, dir, Q_INFO, s->done.batch[i]), NULL);
	return synced[sub];
}

/* The text goes last: it may only go when nothing on disk speaks of its number any more, or an old
 * envelope could come back to life with a new text.  A journal that keeps the order sees to that by
 * itself.  What cannot be synced is left to the sweep. */
static void
flush(struct send *s)
{
	struct done *d = &s->done;
	bool synced[QUEUE_SPLIT] = { false };
	bool bounce_good = true;

	if (d->bounce_removed && !s->q.one_journal &&
	    fsops_sync_dir(qlayout_name(Q_BOUNCE)) == -1) {
		activity_warn(&s->log, "trouble fsyncing ", qlayout_name(Q_BOUNCE), NULL);
		bounce_good = false;
	}
	for (size_t i = 0; i < d->n; i++)
		if (sync_info(s, i, synced) && bounce_good)
			cleaner_ask(&s->clean, CLEAN_FOOP, d->batch[i]);
	d->bounce_removed = false;
	d->n = 0;
}

static bool
flush_wanted(const struct send *s)
{
	return s->done.n && (s->stopping || s->done.n == DONE_BATCH ||
	    deadline_now() >= s->done.flush_at);
}

bool
done_pending(const struct send *s, uint64_t id)
{
	for (size_t i = 0; i < s->done.n; i++)
		if (s->done.batch[i] == id)
			return true;
	return cleaner_pending(&s->clean, id);
}

void
done_purge(struct send *s, uint64_t id)
{
	static const enum qdir dirs[] = { Q_LOCAL, Q_REMOTE, Q_BOUNCE, Q_INFO };
	struct heap *heaps[] = { &s->sched.channel[CHANNEL_LOCAL],
		&s->sched.channel[CHANNEL_REMOTE], &s->sched.done };
	int64_t due;

	warn(s, "unable to stat ", Q_MESS, id, NULL);
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		if (qlayout_remove(&s->q, dirs[i], id) == -1)
			warn(s, "unable to unlink ", dirs[i], id, NULL);
	/* A job at work on it finds its file gone and ends by itself. */
	for (size_t i = 0; i < sizeof heaps / sizeof *heaps; i++)
		if (heap_get(heaps[i], id, &due) && due != HEAP_NEVER)
			(void)heap_remove(heaps[i], id);
}

/* ---- looking at a message ---- */

enum verdict { VERDICT_FALSE_ALARM, VERDICT_TROUBLE, VERDICT_ORPHAN, VERDICT_BOUNCE,
	VERDICT_REMOVE };

static enum verdict
judge(struct send *s, uint64_t id)
{
	/* Files in the order of the questions, and what an existing (or missing) one means. */
	static const struct {
		enum qdir dir;
		int decisive;		/* 1: if it exists, 0: if it does not */
		enum verdict verdict;
	} questions[] = {
		{ Q_LOCAL, 1, VERDICT_FALSE_ALARM }, { Q_REMOTE, 1, VERDICT_FALSE_ALARM },
		{ Q_TODO, 1, VERDICT_FALSE_ALARM }, { Q_INFO, 0, VERDICT_FALSE_ALARM },
		{ Q_MESS, 0, VERDICT_ORPHAN }, { Q_BOUNCE, 1, VERDICT_BOUNCE }
	};

	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		int exists = qlayout_exists(&s->q, questions[i].dir, id);

		if (exists == questions[i].decisive)
			return questions[i].verdict;
		if (exists == -1) {
			warn(s, "unable to stat ", questions[i].dir, id, "; will try again later");
			return VERDICT_TROUBLE;
		}
	}
	return VERDICT_REMOVE;
}

/* A bounce file without a byte is what a crash has left of one: nobody has failed. */
static bool
is_empty_bounce(const struct send *s, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	return stat(qlayout_path(&s->q, path, Q_BOUNCE, id), &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == 0;
}

static void
look_at(struct send *s, uint64_t id)
{
	enum verdict verdict = judge(s, id);

	if (verdict == VERDICT_BOUNCE && is_empty_bounce(s, id)) {
		done_bounced(s, id);
		return;
	}
	switch (verdict) {
	case VERDICT_FALSE_ALARM:
		(void)heap_remove(&s->sched.done, id);
		break;
	case VERDICT_TROUBLE:
		set_due(s, id, date_now() + SCHED_TROUBLE_S);
		break;
	case VERDICT_ORPHAN:
		done_purge(s, id);
		break;
	case VERDICT_BOUNCE:
		if (heap_set(&s->sched.bounce, id, date_now()) == -1) {
			activity_memory(&s->log);
			set_due(s, id, date_now() + SCHED_MEMORY_S);
		} else {
			set_due(s, id, HEAP_NEVER);
		}
		break;
	case VERDICT_REMOVE:
		remove_message(s, id);
		break;
	}
}

/* ---- bounces ---- */

void
done_bounced(struct send *s, uint64_t id)
{
	if (remove_bounce(s, id))
		remove_message(s, id);
}

static void
discard(struct send *s, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct buf *line = activity_begin(&s->log);

	buf_adds(line, "alert: bounce message refused too long: discarding ");
	buf_adds(line, qlayout_path(&s->q, path, Q_BOUNCE, id));
	activity_end(&s->log);
	done_bounced(s, id);
}

void
done_bounce_failed(struct send *s, uint64_t id, bool permanent)
{
	char path[QLAYOUT_PATH_SIZE];
	int64_t now = date_now(), age_s = 0;
	struct stat st;

	/* The time of the last failure serves as the memory of how long this has been going on. */
	if (stat(qlayout_path(&s->q, path, Q_BOUNCE, id), &st) == 0 && st.st_mtime < now)
		age_s = now - st.st_mtime;
	if (permanent && (uint64_t)age_s > s->controls.lifetime_s)
		discard(s, id);
	else
		set_due(s, id, now + sched_bounce_pause(age_s));
}

static void
start_bounce(struct send *s, uint64_t id)
{
	switch (notice_start(s, id)) {
	case NOTICE_STARTED:
		break;
	case NOTICE_NOT_NEEDED:
		done_bounced(s, id);
		break;
	case NOTICE_VANISHED:
		(void)heap_remove(&s->sched.done, id);
		break;
	case NOTICE_LATER:
		done_bounce_failed(s, id, false);
		break;
	}
}

static bool
bounce_waiting(const struct send *s)
{
	return s->sched.bounce.n && s->notices.busy < NOTICES_MAX && !s->finishing &&
	    s->done.n < DONE_BATCH;
}

/* ---- the loop ---- */

static bool
next_due(const struct send *s, uint64_t *id)
{
	struct heap_item item;

	if (s->done.n == DONE_BATCH || s->finishing || !heap_first(&s->sched.done, &item) ||
	    item.due > date_now())
		return false;
	*id = item.key;
	return true;
}

void
done_step(struct send *s)
{
	struct heap_item item;
	uint64_t id;

	for (int n = 0; n < STEP_MAX && next_due(s, &id); n++)
		look_at(s, id);
	while (bounce_waiting(s) && heap_first(&s->sched.bounce, &item)) {
		(void)heap_remove(&s->sched.bounce, item.key);
		start_bounce(s, item.key);
	}
	if (flush_wanted(s) && cleaner_room(&s->clean) >= s->done.n)
		flush(s);
}

void
done_watch(const struct send *s, struct waitset *w)
{
	struct heap_item item;
	uint64_t id;

	if (next_due(s, &id) || bounce_waiting(s))
		waitset_now(w);
	else if (s->done.n < DONE_BATCH && !s->finishing && heap_first(&s->sched.done, &item))
		waitset_wall(w, item.due);
	/* Without room the answers of qmail-clean wake us. */
	if (s->done.n && cleaner_room(&s->clean) >= s->done.n)
		waitset_until(w, flush_wanted(s) ? 0 : s->done.flush_at);
}

bool
done_idle(const struct send *s)
{
	if (s->notices.busy)
		return false;
	return s->clean.to == -1 || (!s->done.n && !s->clean.n);
}
