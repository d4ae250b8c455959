/* handover - has a delivery begun by a qmail-remote that stays (queue/remoteproto.h): it forks,
 * which costs a third of running a program that then reads all its control files. */
#ifndef SPAWN_HANDOVER_H
#define SPAWN_HANDOVER_H

#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "spawn/resident.h"
#include "spawn/spawnd.h"

#define HANDOVER_ANSWER_MS 10000	/* longest wait for the pid */
/* Deliveries of one: all of them have the same addresses in memory, which is a help to whoever
 * attacks one after the other. */
#define HANDOVER_TIMES 100

/* {0} but for program and resident.greeting. */
struct handover {
	char *program;			/* looked for in PATH; NULL: nothing is handed over */
	struct resident resident;
	struct buf path;		/* of the program that was found */
	struct buf request;
	unsigned times;			/* of this process */
};

/* The pid of the delivery, which is our child; SPAWND_UNKNOWN: it runs, or not, and its output will
 * tell; 0: nothing has begun. */
MUST_CHECK pid_t handover(struct handover *h, const struct spawnd_delivery *d);
void handover_end(struct handover *h);

#endif
