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
		job->birth = st.st_mtime;
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

	assert(jobs_left(&s->jobs));
	job = s->jobs.spares ? s->jobs.spare[--s->jobs.spares] : &s->jobs.all[s->jobs.fresh++];
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

void
pass_open(struct send *s, struct pass *p, enum channel c, uint64_t id)
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

/* ---- making room for another one ---- */

static void
abandon(struct send *s, struct pass *p, const char *what, const char *after)
{
	char path[QLAYOUT_PATH_SIZE];

	activity_warn(&s->log, what, qlayout_path(&s->q, path, jobs_channel_dir(p->job->channel),
	    p->job->id), after);
	pass_end(s, p, false);
}

static void
suspend(struct pass *p)
{
	p->job->rest = p->next;
	p->job->suspended = true;
	(void)close(p->fd);	/* opened for reading: nothing to lose */
	p->fd = -1;
	p->job = NULL;
}

void
pass_resume(struct send *s, struct pass *p)
{
	struct job *job = s->jobs.resume;
	struct stat st;

	s->jobs.resume = job->resumed;
	job->suspended = false;
	p->job = job;
	p->fd = qlayout_open_update(&s->q, jobs_channel_dir(job->channel), job->id);
	if (p->fd == -1 && errno != ENOENT) {
		abandon(s, p, "trouble opening ", "; will try again later");
	} else if (p->fd == -1 || fstat(p->fd, &st) == -1 || !jobs_has_read(job, &st) ||
	    lseek(p->fd, job->rest, SEEK_SET) == -1) {
		pass_end(s, p, false);	/* what is there now is looked at from its beginning */
	} else {
		io_in_init(&p->in, p->fd, p->buffer, sizeof p->buffer);
		p->at = p->next = job->rest;
	}
}

/* ---- reading ---- */

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

static void
put_aside(struct send *s, struct pass *p)
{
	struct job *job = p->job;
	struct aside *a;

	if (hosts_full(&s->hosts)) {
		job->put_off++;
		s->jobs.put_off++;
		return;
	}
	a = hosts_put_aside(&s->hosts, job, p->at, buf_span(&p->record), job->sender.n);
	if (!a) {
		activity_memory(&s->log);
		return;
	}
	a->sibling = job->waits;
	job->waits = a;
	job->waited = true;
	if (++job->aside >= JOBS_ASIDE)
		suspend(p);
}

/* Starts it, or puts it aside until its host may take another place, or off.  One for which there
 * is no memory counts as not done: it is tried again with the next pass. */
static void
start_or_put_aside(struct send *s, struct spawn *d, struct pass *p)
{
	struct span recipient = buf_span(&p->record);
	struct job *job = p->job;

	job->undone++;
	p->begun++;
	if (d->channel == CHANNEL_REMOTE && !hosts_admits(&s->hosts, recipient, deliver_room(d)))
		put_aside(s, p);
	else if (deliver_start(s, d, job, p->at, recipient) == 0)
		job->deliveries++;
	else
		activity_memory(&s->log);
}

void
pass_read(struct send *s, struct spawn *d, struct pass *p)
{
	char type;

	if (p->job->again) {
		pass_end(s, p, false);	/* its file is not that of the message any more */
		return;
	}
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
