/* pass - one reading of a channel file, recipient by recipient. */
#include "send/pass.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/date.h"
#include "queue/envelope.h"
#include "send/send.h"

enum opened { OPENED, OPEN_GONE, OPEN_ORPHAN, OPEN_TROUBLE };

/* ---- opening ---- */

static void
warn_later(struct send *s, const char *what, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	if (errno == EROFS || errno == EIO)
		activity_queue(&s->log, errno);	/* not for every message */
	else
		activity_warn(&s->log, what, qlayout_path(&s->q, path, dir, id),
		    "; will try again later");
}

/* Sender and age of the message. */
static enum opened
read_info(struct send *s, struct job *job)
{
	int fd = qlayout_open_read(&s->q, Q_INFO, job->id);
	enum opened result = OPEN_TROUBLE;
	int64_t now = date_now();
	struct io_in in;
	char buffer[1024], type;
	struct stat st;

	if (fd == -1 && errno == ENOENT)
		return OPEN_GONE;
	if (fd != -1) {
		io_in_init(&in, fd, buffer, sizeof buffer);
		if (fstat(fd, &st) == 0 && envelope_read(&in, &type, &job->sender) == IO_OK &&
		    type == ENVELOPE_SENDER)
			result = OPENED;
		(void)close(fd);
	}
	if (result == OPENED) {
		job->retry = sched_retry(job->channel, st.st_mtime, now);
		job->dying = sched_dying(st.st_mtime, now, s->controls.lifetime_s);
	} else {
		warn_later(s, "trouble opening ", Q_INFO, job->id);
	}
	return result;
}

static enum opened
open_files(struct send *s, struct pass *p, struct job *job)
{
	enum qdir dir = jobs_channel_dir(job->channel);
	enum opened result;
	struct stat st;

	errno = 0;	/* a file that is something else has none */
	/* Where no recipient can be marked done, none is tried: it would get the message again and
	 * again. */
	p->fd = qlayout_open_update(&s->q, dir, job->id);
	if (p->fd == -1 && errno == ENOENT)
		return OPEN_GONE;
	/* A FIFO of that name reads as if nobody were left, and the message would be removed. */
	if (p->fd == -1 || fstat(p->fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		warn_later(s, "trouble opening ", dir, job->id);
		return OPEN_TROUBLE;
	}
	job->dev = st.st_dev;
	job->ino = st.st_ino;
	if (qlayout_exists(&s->q, Q_MESS, job->id) == 0)
		return OPEN_ORPHAN;
	result = read_info(s, job);
	io_in_init(&p->in, p->fd, p->buffer, sizeof p->buffer);
	p->at = p->next = 0;
	return result;
}

static struct job *
new_job(struct send *s, enum channel c, uint64_t id)
{
	struct job *job;
	struct buf sender;

	if (s->jobs.spares) {
		job = s->jobs.spare[--s->jobs.spares];
	} else {
		assert(s->jobs.fresh < s->jobs.n);	/* see jobs_init */
		job = &s->jobs.all[s->jobs.fresh++];
	}
	sender = job->sender;		/* its memory is used again */
	*job = (struct job){ .id = id, .channel = c, .sender = sender, .reading = true };
	return job;
}

/* Gives up a pass whose files could not be opened. */
static void
forget_job(struct send *s, struct pass *p, struct job *job)
{
	if (p->fd != -1)
		(void)close(p->fd);
	p->fd = -1;
	job->reading = false;
	jobs_release(&s->jobs, job);
}

void
pass_channel_gone(struct send *s, enum channel c, uint64_t id)
{
	enum channel other = c == CHANNEL_LOCAL ? CHANNEL_REMOTE : CHANNEL_LOCAL;
	enum qdir dir = jobs_channel_dir(other);
	char path[QLAYOUT_PATH_SIZE];
	int exists = qlayout_exists(&s->q, dir, id);

	if (exists == -1)
		activity_warn(&s->log, "unable to stat ", qlayout_path(&s->q, path, dir, id), NULL);
	if (exists != 1 && done_add(s, id, date_now()) == -1) {
		/* The entry that is there stays, and leads here again. */
		activity_memory(&s->log);
		(void)!heap_set(&s->sched.channel[c], id, date_now() + SCHED_MEMORY_S);
		return;
	}
	(void)heap_remove(&s->sched.channel[c], id);
}

/* Opens the pass of what is due first.  The entry stays in the heap, out of the way, until the job
 * ends; so there is always memory to schedule it again. */
static void
open_pass(struct send *s, struct pass *p, enum channel c, uint64_t id)
{
	struct heap *heap = &s->sched.channel[c];
	struct job *job = new_job(s, c, id);
	enum opened opened = open_files(s, p, job);

	(void)!heap_set(heap, id, HEAP_NEVER);
	if (opened == OPENED) {
		p->job = job;
		return;
	}
	forget_job(s, p, job);
	if (opened == OPEN_GONE)
		pass_channel_gone(s, c, id);
	else if (opened == OPEN_TROUBLE)
		(void)!heap_set(heap, id, date_now() + SCHED_TROUBLE_S);
	if (opened == OPEN_ORPHAN) {
		(void)heap_remove(heap, id);
		done_purge(s, id);
	}
}

/* ---- reading ---- */

static bool
first_due(const struct send *s, enum channel c, uint64_t *id)
{
	struct heap_item item;

	if (!heap_first(&s->sched.channel[c], &item) || item.due > date_now())
		return false;
	*id = item.key;
	return true;
}

static void
abandon(struct send *s, struct pass *p, const char *what, const char *after)
{
	char path[QLAYOUT_PATH_SIZE];

	activity_warn(&s->log, what, qlayout_path(&s->q, path, jobs_channel_dir(p->job->channel),
	    p->job->id), after);
	pass_end(s, p, false);
}

/* Reads the next record into p->record; false: the pass has ended. */
static bool
next_record(struct send *s, struct pass *p, char *type)
{
	enum io_status status = envelope_read(&p->in, type, &p->record);

	switch (status) {
	case IO_OK:
		p->at = p->next;
		p->next += (off_t)p->record.n + 2;
		return true;
	case IO_EOF:	/* also an unterminated tail */
		pass_end(s, p, true);
		return false;
	default:
		abandon(s, p, "trouble reading ", "; will try again later");
		return false;
	}
}

/* Starts it, or puts it aside until its host may take another place.  One for which there is no
 * memory counts as not done: it is tried again with the next pass. */
static void
start_or_put_aside(struct send *s, struct spawn *d, struct pass *p)
{
	struct span recipient = buf_span(&p->record);
	struct job *job = p->job;

	job->undone++;
	p->begun++;
	if (d->channel == CHANNEL_LOCAL ||
	    hosts_admits(&s->hosts, recipient, deliver_room(d))) {
		if (deliver_start(s, d, job, p->at, recipient) == 0)
			job->deliveries++;
		else
			activity_memory(&s->log);
	} else {
		if (hosts_put_aside(&s->hosts, job, p->at, recipient, job->sender.n) == 0)
			job->aside++;
		else
			activity_memory(&s->log);
	}
}

static void
read_record(struct send *s, struct spawn *d, struct pass *p)
{
	char type;

	if (!next_record(s, p, &type))
		return;
	switch (type) {
	case ENVELOPE_RECIPIENT:
		start_or_put_aside(s, d, p);
		break;
	case ENVELOPE_DONE:
		break;
	default:
		abandon(s, p, "unknown record type in ", "!");
		break;
	}
}

/* ---- whose turn it is ---- */

static void
start_aside(struct send *s, struct spawn *d, struct aside *a)
{
	struct job *job = a->job;

	job->aside--;
	job->deliveries++;
	if (deliver_start(s, d, job, a->at, buf_span(&a->recipient)) == 0) {
		hosts_drop(&s->hosts, a);
	} else {
		activity_memory(&s->log);
		hosts_drop(&s->hosts, a);
		jobs_drop(s, job);
	}
}

static bool
rests(const struct pass *p)
{
	return p->job && p->job->aside >= JOBS_ASIDE;
}

/* Is there a pass that could go on, or be opened? */
static bool
may_read(const struct send *s, enum channel c)
{
	if (c == CHANNEL_REMOTE && hosts_full(&s->hosts))
		return false;
	for (size_t i = 0; i < JOBS_PASSES; i++)
		if (!rests(&s->jobs.pass[c][i]))
			return true;
	return false;
}

/* The pass that has its turn: the same until it ends, rests or has had its share, then the next one
 * in the round; where there is none what is due first is opened.  NULL: there is nothing to do. */
static struct pass *
turn_of(struct send *s, enum channel c)
{
	struct jobs *j = &s->jobs;
	struct pass *p = &j->pass[c][j->turn[c]];
	uint64_t id;
	bool due;

	if (p->job && !rests(p) && p->begun < JOBS_SHARE)
		return p;
	due = first_due(s, c, &id);
	for (size_t i = 0; i < JOBS_PASSES; i++) {
		j->turn[c] = (j->turn[c] + 1) % JOBS_PASSES;
		p = &j->pass[c][j->turn[c]];
		if (p->job ? !rests(p) : due) {
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
	if (!may_read(s, c) || (p = turn_of(s, c)) == NULL)
		return false;
	if (p->job)
		read_record(s, d, p);
	else if (first_due(s, c, &id))
		open_pass(s, p, c, id);
	return true;
}

void
jobs_run(struct send *s, enum channel c)
{
	const size_t most = s->hosts.aside + JOBS_LOOKS;
	size_t room;

	for (int n = 0; n < JOBS_RECORDS && !s->stopping && s->hosts.aside < most; n++)
		if (!(room = deliver_room(&s->spawn[c])) || !step(s, c, room))
			break;
}

bool
jobs_waiting(const struct send *s, enum channel c)
{
	size_t room = deliver_room(&s->spawn[c]);
	uint64_t id;

	if (s->stopping || !room)
		return false;
	if (c == CHANNEL_REMOTE && hosts_next(&s->hosts, room))
		return true;
	if (!may_read(s, c))
		return false;
	for (size_t i = 0; i < JOBS_PASSES; i++)
		if (s->jobs.pass[c][i].job && !rests(&s->jobs.pass[c][i]))
			return true;
	return first_due(s, c, &id);
}

void
jobs_watch(const struct send *s, struct waitset *w)
{
	for (int c = 0; c < CHANNELS && !s->stopping; c++) {
		struct heap_item item;

		if (jobs_waiting(s, (enum channel)c))
			waitset_now(w);
		else if (deliver_room(&s->spawn[c]) && may_read(s, (enum channel)c) &&
		    heap_first(&s->sched.channel[c], &item))
			waitset_wall(w, item.due);
	}
}
