/* jobs - one message on one channel while it is worked on: starting, marking, ending. */
#include "send/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/num.h"
#include "queue/envelope.h"
#include "send/pass.h"
#include "send/send.h"

#define SENDER_KEPT 1024	/* bytes of memory */
#define JOBS_PUT_OFF_MAX_S 3600	/* more says that the clock was set back */

int
jobs_init(struct jobs *j, size_t n)
{
	j->n = n;
	j->all = calloc(n, sizeof *j->all);
	j->spare = calloc(n, sizeof(struct job *));
	for (int c = 0; c < CHANNELS; c++)
		if ((j->pass[c] = calloc(JOBS_PASSES, sizeof(struct pass))) == NULL)
			return -1;
	return j->all && j->spare ? 0 : -1;
}

bool
jobs_left(const struct jobs *j)
{
	return j->spares || j->fresh < j->n;
}

void
jobs_free(struct jobs *j)
{
	for (size_t i = 0; i < j->fresh; i++)
		buf_free(&j->all[i].sender);
	heap_free(&j->late);
	for (int c = 0; c < CHANNELS; c++) {
		for (size_t i = 0; j->pass[c] && i < JOBS_PASSES; i++) {
			if (j->pass[c][i].job)
				(void)close(j->pass[c][i].fd);
			buf_free(&j->pass[c][i].record);
		}
		free(j->pass[c]);
	}
	free(j->all);
	free(j->spare);
}

const char *
jobs_channel_name(enum channel c)
{
	return qlayout_name(jobs_channel_dir(c));
}

enum qdir
jobs_channel_dir(enum channel c)
{
	return c == CHANNEL_LOCAL ? Q_LOCAL : Q_REMOTE;
}

void
jobs_id_path(const struct job *job, char *out)
{
	size_t n = num_format(out, job->id % QUEUE_SPLIT);

	out[n++] = '/';
	(void)num_format(out + n, job->id);
}

/* Nobody works on it any more: it ends, or has ended. */
static bool
is_over(const struct job *job)
{
	return !job->reading && !job->deliveries && !job->aside;
}

/* ---- recipients put aside ---- */

/* The pass that has made room goes on when another one ends. */
static void
resume(struct jobs *j, struct job *job)
{
	if (j->resume)
		j->resume_last->resumed = job;
	else
		j->resume = job;
	j->resume_last = job;
	job->resumed = NULL;
}

static void
forget_aside(struct aside *a)
{
	struct job *job = a->job;
	struct aside **link = &job->waits;

	while (*link != a)
		link = &(*link)->sibling;
	*link = a->sibling;
	job->aside--;
}

static void
drop_waits(struct send *s, struct job *job)
{
	while (job->waits) {
		struct aside *a = job->waits;

		forget_aside(a);
		hosts_drop(&s->hosts, a);
	}
}

/* ---- marking ---- */

bool
jobs_has_read(const struct job *job, const struct stat *st)
{
	return st->st_dev == job->dev && st->st_ino == job->ino;
}

/* The channel file, if it is still the one that the job has read.  -1 with errno. */
static int
open_to_mark(struct send *s, const struct job *job)
{
	enum qdir dir = jobs_channel_dir(job->channel);
	int fd = qlayout_open_write(&s->q, dir, job->id);
	struct stat st;

	if (fd == -1 && spare_yield(&s->spare))
		fd = qlayout_open_write(&s->q, dir, job->id);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && jobs_has_read(job, &st))
		return fd;
	(void)close(fd);
	errno = ENOENT;
	return -1;
}

static void
mark(struct send *s, const struct job *job, off_t at)
{
	const char done = ENVELOPE_DONE;
	char path[QLAYOUT_PATH_SIZE];
	int fd = open_to_mark(s, job), r = -1;

	if (fd != -1) {
		if (lseek(fd, at, SEEK_SET) == at)
			r = io_write_all(fd, &done, 1);
		if (close(fd) == -1)
			r = -1;
	}
	spare_claim(&s->spare);
	if (r == -1)
		activity_warn(&s->log, "trouble marking ",
		    qlayout_path(&s->q, path, jobs_channel_dir(job->channel), job->id),
		    "; message will be delivered twice!");
}

/* Is this report all that keeps the channel file? */
static bool
is_last(const struct job *job)
{
	return job->complete && !job->again && job->deliveries == 1 && job->undone == 1;
}

void
jobs_mark(struct send *s, struct job *job, off_t at)
{
	job->unmarked = is_last(job);
	if (job->unmarked)
		job->last = at;		/* the file goes right now, the mark with it */
	else
		mark(s, job, at);
	job->undone--;
}

/* ---- the end of a job ---- */

void
jobs_release(struct jobs *j, struct job *job)
{
	buf_reset(&job->sender);
	if (job->sender.size > SENDER_KEPT)
		buf_free(&job->sender);	/* there are thousands of jobs */
	j->spare[j->spares++] = job;
}

bool
jobs_same_file(const struct send *s, const struct job *job)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	return stat(qlayout_path(&s->q, path, jobs_channel_dir(job->channel), job->id),
	    &st) == 0 && jobs_has_read(job, &st);
}

/* For an entry that is there, which cannot fail. */
static void
reschedule(struct send *s, enum channel c, uint64_t id, int64_t due)
{
	if (heap_set(&s->sched.channel[c], id, due) == -1)
		activity_memory(&s->log);
}

/* Removes the channel file, if it is still the one that the job has read.  -1 with errno. */
static int
remove_read(const struct job *job, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!jobs_has_read(job, &st))
		return 0;
	return unlink(path) == -1 && errno != ENOENT ? -1 : 0;
}

static void
end_complete(struct send *s, struct job *job)
{
	char path[QLAYOUT_PATH_SIZE];

	(void)qlayout_path(&s->q, path, jobs_channel_dir(job->channel), job->id);
	if (remove_read(job, path) == -1) {
		activity_warn(&s->log, "unable to unlink ", path, "; will try again later");
		if (job->unmarked)
			mark(s, job, job->last);
		reschedule(s, job->channel, job->id, date_now() + SCHED_TROUBLE_S);
		return;
	}
	pass_channel_gone(s, job->channel, job->id);
}

/* The next attempt was decided when the pass began; who has waited since then waits anew. */
static int64_t
next_attempt(const struct job *job)
{
	int64_t now = date_now();

	return job->waited && job->retry <= now ?
	    sched_retry(job->channel, job->birth, now) : job->retry;
}

/* A job with none left but recipients put aside is on this list if others want another attempt;
 * without memory it waits for them. */
static void
set_late(struct jobs *j, struct job *job)
{
	const uint64_t key = (uint64_t)(job - j->all);
	const bool late = !job->reading && !job->deliveries && job->aside &&
	    (job->undone > job->aside || !job->complete);
	int64_t since;

	if (!late)
		(void)heap_remove(&j->late, key);
	else if (!heap_get(&j->late, key, &since))
		(void)!heap_set(&j->late, key, next_attempt(job));
}

/* When a message whose recipients were put off is due: they come again in their order, and not all
 * at once. */
static int64_t
look_again(struct jobs *j, size_t recipients)
{
	const int64_t first = date_now() + JOBS_PUT_OFF_S;

	if (j->look < first || j->look > first + JOBS_PUT_OFF_MAX_S) {
		j->look = first;
		j->looks = 0;
	}
	j->looks += recipients;
	for (; j->looks > JOBS_PUT_OFF_RATE; j->looks -= JOBS_PUT_OFF_RATE)
		j->look++;
	return j->look;
}

static void
end_job(struct send *s, struct job *job)
{
	(void)heap_remove(&s->jobs.late, (uint64_t)(job - s->jobs.all));
	if (job->again)
		reschedule(s, job->channel, job->id, date_now());
	else if (job->complete && !job->undone)
		end_complete(s, job);
	else if (job->complete && job->undone == job->put_off)
		reschedule(s, job->channel, job->id, look_again(&s->jobs, job->put_off));
	else
		reschedule(s, job->channel, job->id, next_attempt(job));
	jobs_release(&s->jobs, job);
}

void
jobs_take_back(struct jobs *j, struct aside *a)
{
	struct job *job = a->job;

	forget_aside(a);
	if (job->suspended && job->aside == JOBS_ASIDE / 2)
		resume(j, job);
	set_late(j, job);
}

void
jobs_end_late(struct send *s)
{
	struct heap_item item;

	while (heap_first(&s->jobs.late, &item) && item.due <= date_now()) {
		struct job *job = &s->jobs.all[item.key];

		drop_waits(s, job);
		job->again = true;	/* at once: it is due, or all are told to hurry */
		end_job(s, job);
	}
}

static void
settle(struct send *s, struct job *job)
{
	if (is_over(job))
		end_job(s, job);
	else
		set_late(&s->jobs, job);
}

void
jobs_drop(struct send *s, struct job *job)
{
	job->deliveries--;
	settle(s, job);
}

void
pass_end(struct send *s, struct pass *p, bool complete)
{
	struct job *job = p->job;

	if (p->fd != -1)
		(void)close(p->fd);	/* opened for reading: nothing to lose */
	p->fd = -1;
	p->job = NULL;
	job->reading = false;
	job->complete = complete;
	settle(s, job);
}

/* ---- the schedule ---- */

static struct job *
job_of(struct jobs *j, enum channel c, uint64_t id)
{
	for (size_t i = 0; i < j->fresh; i++)
		if (j->all[i].id == id && j->all[i].channel == c &&
		    !is_over(&j->all[i]))
			return &j->all[i];
	return NULL;
}

int
jobs_schedule(struct send *s, enum channel c, uint64_t id, int64_t due)
{
	struct heap *heap = &s->sched.channel[c];
	struct job *job;
	int64_t already;

	if (heap_get(heap, id, &already) && already == HEAP_NEVER &&
	    (job = job_of(&s->jobs, c, id)) != NULL) {
		job->again = true;
		if (job->suspended && job->aside > JOBS_ASIDE / 2)
			resume(&s->jobs, job);
		drop_waits(s, job);
		settle(s, job);
		return 0;
	}
	return heap_set(heap, id, due);
}

bool
jobs_preprocessed(void *arg, uint64_t id, unsigned channels)
{
	struct send *s = arg;
	int64_t now = date_now();

	if (s->stopping)
		return true;	/* found again at the next start */
	for (int c = 0; c < CHANNELS; c++)
		if (channels & 1U << c && jobs_schedule(s, (enum channel)c, id, now) == -1)
			goto no_memory;
	if (!channels && done_add(s, id, now) == -1)
		goto no_memory;
	/* What was to be looked at again is this.  Later its number may be that of another one. */
	(void)heap_remove(&s->sched.recheck, id);
	return true;

no_memory:
	activity_memory(&s->log);
	return false;
}

void
jobs_save_schedule(struct send *s)
{
	char path[QLAYOUT_PATH_SIZE];

	for (int c = 0; c < CHANNELS; c++) {
		const struct heap *heap = &s->sched.channel[c];

		for (size_t i = 0; i < heap->n; i++) {
			struct heap_item item = heap_at(heap, i);
			struct timespec due[2] = { { .tv_sec = item.due }, { .tv_sec = item.due } };
			enum qdir dir = jobs_channel_dir((enum channel)c);

			if (item.due == HEAP_NEVER)
				continue;	/* keeps its old time: tried at once next time */
			(void)qlayout_path(&s->q, path, dir, item.key);
			if (utimensat(AT_FDCWD, path, due, 0) == -1 && errno != ENOENT)
				activity_warn(&s->log, "unable to utime ", path,
				    "; message will be retried too soon");
		}
	}
}
