/* turns - whose turn it is: those put aside, the passes of a channel, what is due. */
#include "lib/date.h"
#include "send/pass.h"
#include "send/send.h"

static void
start_aside(struct send *s, struct spawn *d, struct aside *a)
{
	struct job *job = a->job;

	job->deliveries++;
	jobs_take_back(&s->jobs, a);
	if (jobs_same_file(s, job)) {
		if (deliver_start(s, d, job, a->at, hosts_recipient(a)) == 0) {
			hosts_begun(&s->hosts, a);
			return;
		}
		activity_memory(&s->log);
	}
	hosts_drop(&s->hosts, a);
	jobs_drop(s, job);
}

static bool
first_due(const struct send *s, enum channel c, uint64_t *id)
{
	struct heap_item item;

	if (!heap_first(&s->sched.channel[c], &item) || item.due > date_now())
		return false;
	*id = item.key;
	return true;
}

/* Is there something for a pass that is free? */
static bool
may_open(const struct send *s, enum channel c)
{
	uint64_t id;

	return (c == CHANNEL_REMOTE && s->jobs.resume) ||
	    (jobs_left(&s->jobs) && first_due(s, c, &id));
}

/* The pass that has its turn: the same until it ends, makes room or has had its share, then the
 * next one in the round; where there is none another is opened.  NULL: there is nothing to do. */
static struct pass *
turn_of(struct send *s, enum channel c)
{
	struct jobs *j = &s->jobs;
	struct pass *p = &j->pass[c][j->turn[c]];
	bool opens;

	if (p->job && p->begun < JOBS_SHARE)
		return p;
	opens = may_open(s, c);
	for (size_t i = 0; i < JOBS_PASSES; i++) {
		j->turn[c] = (j->turn[c] + 1) % JOBS_PASSES;
		p = &j->pass[c][j->turn[c]];
		if (p->job || opens) {
			p->begun = 0;
			return p;
		}
	}
	return NULL;
}

/* One step: a delivery of those put aside, a record, or a message opened.  false: nothing to do. */
static bool
step(struct send *s, enum channel c, size_t room)
{
	struct spawn *d = &s->spawn[c];
	struct aside *a = c == CHANNEL_REMOTE ? hosts_next(&s->hosts, room) : NULL;
	struct pass *p;
	uint64_t id;

	if (a) {
		start_aside(s, d, a);
		return true;
	}
	if ((p = turn_of(s, c)) == NULL)
		return false;
	if (p->job)
		pass_read(s, d, p);
	else if (c == CHANNEL_REMOTE && s->jobs.resume)
		pass_resume(s, p);
	else if (first_due(s, c, &id))
		pass_open(s, p, c, id);
	return true;
}

void
jobs_run(struct send *s, enum channel c)
{
	const uint64_t most = s->hosts.aside + s->jobs.put_off + JOBS_LOOKS;
	size_t room;

	if (c == CHANNEL_REMOTE)
		jobs_end_late(s);
	for (int n = 0; n < JOBS_RECORDS && !s->stopping &&
	    s->hosts.aside + s->jobs.put_off < most; n++)
		if (!(room = deliver_room(&s->spawn[c])) || !step(s, c, room))
			break;
}

static bool
has_pass(const struct jobs *j, enum channel c)
{
	for (size_t i = 0; i < JOBS_PASSES; i++)
		if (j->pass[c][i].job)
			return true;
	return false;
}

bool
jobs_waiting(const struct send *s, enum channel c)
{
	size_t room = deliver_room(&s->spawn[c]);

	if (s->stopping || !room)
		return false;
	if (c == CHANNEL_REMOTE && hosts_next(&s->hosts, room))
		return true;
	return has_pass(&s->jobs, c) || may_open(s, c);
}

void
jobs_watch(const struct send *s, struct waitset *w)
{
	struct heap_item item;

	if (s->stopping)
		return;
	for (int c = 0; c < CHANNELS; c++)
		if (jobs_waiting(s, (enum channel)c))
			waitset_now(w);
		else if (deliver_room(&s->spawn[c]) && jobs_left(&s->jobs) &&
		    heap_first(&s->sched.channel[c], &item))
			waitset_wall(w, item.due);
	if (heap_first(&s->jobs.late, &item))
		waitset_wall(w, item.due);
}
