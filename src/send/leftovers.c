/* leftovers - removes texts of messages that never came into being. */
#include "send/leftovers.h"

#include <sys/stat.h>

#include "lib/date.h"
#include "lib/deadline.h"
#include "send/send.h"

static bool
is_leftover(const struct send *s, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	if (sched_has(&s->sched, id))
		return false;	/* nearly all: so they cost nothing */
	if (stat(qlayout_path(&s->q, path, Q_MESS, id), &st) == -1 ||
	    !qlayout_is_old(&st, date_now()))
		return false;
	/* todo before info: a message on its way from one to the other is seen in one of them.  A
	 * removal that is under way must not be asked for twice: the number may be in use again. */
	return qlayout_exists(&s->q, Q_TODO, id) == 0 && qlayout_exists(&s->q, Q_INFO, id) == 0 &&
	    !done_pending(s, id);
}

/* Other work comes first, and nothing is swept before all messages are scheduled. */
static bool
may_run(const struct send *s)
{
	return !s->stopping && startup_over(s) && !jobs_waiting(s, CHANNEL_LOCAL) &&
	    !jobs_waiting(s, CHANNEL_REMOTE) && cleaner_room(&s->clean) > CLEANER_MAX / 2;
}

static bool
next_file(struct leftovers *w, uint64_t *id)
{
	if (w->held) {
		w->held = false;
		*id = w->held_id;
		return true;
	}
	return qlayout_scan_next(&w->scan, id) == 1;
}

void
leftovers_step(struct send *s)
{
	struct leftovers *w = &s->leftovers;
	uint64_t id;

	if (!may_run(s) || (!w->active && deadline_now() < w->next))
		return;
	if (!w->active)
		qlayout_scan_start(&w->scan, &s->q, Q_MESS);
	w->active = true;
	for (int n = 0; n < LEFTOVERS_SLICE; n++) {
		if (!next_file(w, &id)) {
			w->active = false;	/* what could not be read is left for the next */
			w->next = deadline_after(LEFTOVERS_PAUSE_MS);
			return;
		}
		if (!is_leftover(s, id))
			continue;
		if (cleaner_room(&s->clean) <= CLEANER_MAX / 2) {
			w->held = true;
			w->held_id = id;
			return;
		}
		cleaner_ask(&s->clean, CLEAN_FOOP, id);
	}
}

void
leftovers_watch(const struct send *s, struct waitset *w)
{
	if (may_run(s))
		waitset_until(w, s->leftovers.active ? 0 : s->leftovers.next);
}
