/* workers - deliveries by programs that stay for the next one (queue/stayproto.h), so that not each
 * of them costs a process.
 *
 * A worker is a child of ours that knows one delivery at a time, is handed the next when that is
 * done, and ends after WORKERS_TIMES of them, or when it has had nothing to do for WORKERS_IDLE_MS.
 * It is only started if the program has shown, as one that delivers nothing, that it can stay
 * (spawn/resident.h), and as long as the file is the same. */
#ifndef SPAWN_WORKERS_H
#define SPAWN_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/filemark.h"
#include "lib/proc.h"
#include "lib/span.h"
#include "spawn/decliners.h"
#include "spawn/resident.h"

/* Deliveries of one: all of them have the same addresses in memory, which is a help to whoever
 * attacks one after the other. */
#define WORKERS_TIMES 100
#define WORKERS_IDLE_MAX ((size_t)128)
#define WORKERS_IDLE_MS 1000

struct worker {
	pid_t pid;
	int fd;				/* close-on-exec */
	struct proc_cred cred;		/* who it is */
	dev_t dev;			/* the program */
	ino_t ino;
	unsigned times;
	bool greeted;
	bool unread;			/* it has ended and has not read of its delivery */
	uint64_t number;		/* of its delivery */
	uint64_t host;			/* stands for the first string of its last delivery */
	int64_t until;			/* idle: when it ends */
};

/* {0} but for `probe`: all that is not its state; and `switches`. */
struct workers {
	struct resident probe;
	bool switches;			/* workers become who the delivery is for; else they stay
					 * who we are */
	bool fit;			/* the program has shown that it can stay, */
	struct filemark file;		/* when it was this */
	struct worker idle[WORKERS_IDLE_MAX];	/* the oldest first */
	size_t n_idle;
	struct decliners decliners;	/* if workers switch: also who has none that greets */
	uint64_t number;		/* of the last delivery */
	struct buf request;
};

/* Hands a delivery over: its strings, each followed by NUL, and the message, from the start.
 * cred: for whom, if workers switch.  Else NULL, and a worker whose last delivery had the same
 * first string, which is the host, is preferred: it may have a connection to it.  true: *w has it;
 * false: nothing has begun. */
MUST_CHECK bool workers_hand(struct workers *ws, const struct proc_cred *cred, struct span strings,
    int message_fd, struct worker *w);

enum worker_said {
	WORKER_NOTHING,		/* of meaning */
	WORKER_OUTPUT,		/* *n bytes */
	WORKER_DONE,		/* *code: 0..255 */
	WORKER_DECLINED,	/* nothing has begun */
	WORKER_ENDED,		/* it will say no more; the delivery is its last */
	WORKER_UNABLE,		/* the same, and it has not begun: it never read of it */
	WORKER_BROKEN		/* it does not keep to the protocol */
};

/* Reads what it says; size: at least STAYPROTO_PIECE.  After one that could not even greet there
 * are none for a while; if workers switch, none for that user, after DECLINERS_TIMES of them. */
MUST_CHECK enum worker_said worker_read(struct workers *ws, struct worker *w, char *chunk,
    size_t size, size_t *n, int *code);
/* Its delivery is done or declined: it waits for another one, or is let go. */
void workers_keep(struct workers *ws, const struct worker *w);
/* Lets those that have waited longest go, if more than this wait. */
void workers_limit(struct workers *ws, size_t max);
/* A child of ours has ended that has no delivery. */
void workers_reaped(struct workers *ws, pid_t pid);
/* Lets those go that have been idle for long; when to call it again. */
int64_t workers_tidy(struct workers *ws);
void workers_end(struct workers *ws);

#endif
