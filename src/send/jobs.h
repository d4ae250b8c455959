/* jobs - a job is one message on one channel while it is worked on: from opening its channel file
 * until its pass over that file has ended and every delivery has reported.  A channel has at most
 * JOBS_PASSES passes and any number of jobs that wait for reports; (message, channel) is off the
 * schedule meanwhile (HEAP_NEVER), so it never has two.
 *
 * A pass goes on until it ends, or has begun JOBS_SHARE deliveries and others want their turn; so
 * a message with a hundred thousand recipients does not keep back those that came after it.
 *
 * A recipient whose host holds enough places is put aside (hosts.h) and the pass goes on.  With
 * JOBS_ASIDE of them it makes room for another one, and goes on when half of them have begun.
 * Where the pass is over, all others have reported, and some of these want another attempt, the job
 * does not wait longer than until then: those put aside are in the next pass like everybody.
 *
 * Where no more can be put aside a recipient is put off: a message that has none left but such is
 * due again in JOBS_PUT_OFF_S at the earliest, and some JOBS_PUT_OFF_RATE of them are in a second.
 */
#ifndef SEND_JOBS_H
#define SEND_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/heap.h"
#include "lib/io.h"
#include "mail/route.h"
#include "queue/qlayout.h"
#include "send/waitset.h"

#define JOBS_RECORDS 1000	/* records of a channel looked at in one turn */
#define JOBS_PASSES 8		/* messages of a channel that take turns */
#define JOBS_SHARE 100		/* deliveries in a turn */
#define JOBS_ASIDE 500		/* recipients of a message put aside before its pass makes room */
#define JOBS_LOOKS 100		/* put aside, or off, in one turn of the loop */
#define JOBS_PUT_OFF_S 10
#define JOBS_PUT_OFF_RATE 500

struct aside;
struct send;
struct stat;

struct job {
	uint64_t id;
	enum channel channel;
	struct buf sender;	/* as stored in info */
	int64_t birth;		/* of the message */
	int64_t retry;		/* next attempt, decided when the pass began */
	bool dying;		/* this attempt is the last */
	bool reading;		/* its pass goes on */
	bool complete;		/* its pass has seen the whole file */
	bool again;		/* scheduled anew while we work on it */
	size_t deliveries;	/* under way */
	size_t aside;		/* recipients that wait for their host: */
	struct aside *waits;
	size_t put_off;
	struct job *resumed;	/* the next one in jobs.resume */
	off_t rest;		/* where its pass goes on, when it has made room */
	bool suspended;		/* so it is: reading, and without a pass */
	bool waited;		/* somebody was put aside */
	size_t undone;		/* recipients seen that still want delivery */
	bool unmarked;		/* the one at `last` is done, but not marked: see jobs_mark */
	off_t last;
	dev_t dev;		/* of the channel file: a number may be used again under us */
	ino_t ino;
};

struct pass {
	struct job *job;	/* NULL: none */
	int fd;
	struct io_in in;
	char buffer[4096];
	struct buf record;
	size_t begun;		/* deliveries in this turn, also those put aside */
	off_t at, next;		/* of that record and of the one after it */
};

struct jobs {
	struct job *all;
	size_t n, fresh;	/* all[fresh] and above were never used */
	struct job **spare;	/* those below that are not in use */
	size_t spares;
	struct pass *pass[CHANNELS];	/* JOBS_PASSES each */
	struct job *resume, *resume_last;	/* remote ones that go on when a pass is free */
	struct heap late;	/* jobs with nobody left but some put aside, by their next attempt:
				 * index in all */
	uint64_t put_off;	/* recipients, since the start */
	int64_t look;		/* when the last ones of those are due again */
	uint64_t looks;		/* how many recipients are looked at then */
	size_t turn[CHANNELS];	/* the pass whose turn it is */
};

/* n: both concurrencies, all passes, all that can be put aside.  -1: no memory. */
MUST_CHECK int jobs_init(struct jobs *j, size_t n);
void jobs_free(struct jobs *j);

const char *jobs_channel_name(enum channel c);		/* `local`, `remote` */
enum qdir jobs_channel_dir(enum channel c);
/* `20/457`: the message as the spawn daemons are told. */
void jobs_id_path(const struct job *job, char *out);

/* Puts N on the channel's schedule.  -1: no memory. */
MUST_CHECK int jobs_schedule(struct send *s, enum channel c, uint64_t id, int64_t due);
/* N has been preprocessed, by qmail-todo or by ourselves (todo.h).  arg: struct send. */
MUST_CHECK bool jobs_preprocessed(void *arg, uint64_t id, unsigned channels);
/* Starts deliveries until the channel is full or nothing is due, within limits for one turn. */
void jobs_run(struct send *s, enum channel c);
/* Could jobs_run start something now? */
bool jobs_waiting(const struct send *s, enum channel c);
void jobs_watch(const struct send *s, struct waitset *w);

/* Can a message be opened? */
bool jobs_left(const struct jobs *j);
/* Is this the channel file that the job has read? */
bool jobs_has_read(const struct job *job, const struct stat *st);
/* Is it still there?  If not, its number may be that of another message by now. */
bool jobs_same_file(const struct send *s, const struct job *job);
/* The job does not know of it any more: it begins, or will be in the next pass. */
void jobs_take_back(struct jobs *j, struct aside *a);
/* Ends the jobs of which only recipients put aside are left and whose next attempt is due. */
void jobs_end_late(struct send *s);
/* Marks the recipient at `at` done; a failure is logged.  To be followed by jobs_drop: it removes
 * the file after the last recipient, who therefore is marked only if that fails. */
void jobs_mark(struct send *s, struct job *job, off_t at);
/* One delivery of the job has reported; the last one ends the job. */
void jobs_drop(struct send *s, struct job *job);
/* Writes the schedule into the mtimes of the channel files. */
void jobs_save_schedule(struct send *s);

#endif
