/* spawnd - what qmail-lspawn and qmail-rspawn have in common: commands in, deliveries, reports out
 * (bytes: queue/spawnproto.h).
 *
 * A delivery is a process with the message on descriptor 0 (its own offset, at the start) and a
 * pipe on 1 and 2.  Its report is made when the process is dead and its output has ended; what it
 * left running in the background may keep the pipe open, which delays the report by at most
 * SPAWND_LINGER_MS.  Or it is handed to a process that stays (spawn/workers.h). */
#ifndef SPAWN_SPAWND_H
#define SPAWN_SPAWND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "spawn/workers.h"

#define SPAWND_LINGER_MS 3000
#define SPAWND_READ_SIZE 4096		/* bytes of output that come at a time */
#define SPAWND_BATCH_OUTPUT ((size_t)8192)	/* bytes of output for each of several recipients */
#define SPAWND_CRASHED (-1)		/* in place of an exit code */

/* Descriptors are close-on-exec and above 2; everything is borrowed for the call of start. */
struct spawnd_delivery {
	int message_fd, output_fd;	/* no output for `hand` */
	const char *sender, *recipient;
	size_t at;			/* index of the last @ of the recipient */
	size_t n;			/* recipients: 1, or with the NUL of each before the next */
};

struct spawnd_ops {
	/* Starts the process and returns its pid; -1: no process to be had; 0: it could not run,
	 * and *code counts as its exit code.  cwd is queue/mess. */
	pid_t (*start)(const void *state, const struct spawnd_delivery *d, int *code);
	/* Asked first: has one of the workers got it?  NULL, like workers: never. */
	bool (*hand)(const void *state, const struct spawnd_delivery *d, struct worker *w);
	struct workers *workers;
	/* A child has ended that has no delivery and may be no worker.  NULL: nobody is told. */
	void (*reaped)(const void *state, pid_t pid);
	/* Called after each addition of at most SPAWND_READ_SIZE bytes: cut it as needed. */
	void (*limit)(struct buf *output);
	/* Appends the report, class letter first, for this exit code (or SPAWND_CRASHED).
	 * which: 0 if the process had one recipient, else which of them, from 1. */
	void (*report)(int code, struct span output, size_t which, struct buf *text);
	const void *state;
	/* Most recipients of one process, 1..BATCH_MAX (spawn/batch.h).  With more than one, and
	 * several of them, `limit` is not called: there are SPAWND_BATCH_OUTPUT bytes for each, and
	 * for the message. */
	size_t batch;
};

/* Serves descriptors 0 and 1 until the commands end and all deliveries are done.  Returns the
 * exit code of the program. */
MUST_CHECK int spawnd_run(const struct spawnd_ops *ops);

#endif
