/* resident - a program that stays and answers one question after the other over a socket
 * (lib/packet.h), so that not every delivery needs a process of its own for it.
 *
 * Nobody waits for it at its start: until it has greeted, and whenever it does not answer, the
 * caller runs the program as ever.  An administrator's program in its place says something else or
 * nothing, and is run like that each time; a script is not even started.  What says something else
 * or nothing is not started again until the file is another one, lest many of them hang; what just
 * ends may have lacked something that comes back. */
#ifndef SPAWN_RESIDENT_H
#define SPAWN_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/filemark.h"
#include "lib/proc.h"

/* After one that did not answer, ended or could not be started: twice as long each time, until one
 * answers.  A slow database of accounts gets no new reader each second, and works again without us
 * being started again. */
#define RESIDENT_REST_MS 1000
#define RESIDENT_REST_MAX_MS 600000
#define RESIDENT_GREETING_MS 10000	/* what has not greeted by then will not */

enum resident_state { RESIDENT_NONE, RESIDENT_STARTED, RESIDENT_READY, RESIDENT_UNFIT };

/* All zero but for the first five: no process yet.  The process ends when fd is closed; whoever
 * reaps all children of the program reaps it. */
struct resident {
	char *program;			/* path, borrowed */
	const char *greeting;		/* its first part */
	const struct proc_cred *cred;	/* who it runs as, NULL: as we */
	const char *chdir;		/* where, NULL: where we are */
	char *argument;			/* borrowed; NULL: none */
	enum resident_state state;
	pid_t pid;			/* STARTED, READY */
	int fd;				/* STARTED, READY */
	struct filemark file;		/* the program that was started */
	int64_t until;			/* NONE: rests; STARTED: may greet */
	int64_t rest_ms;		/* the last rest; 0 = it has answered since */
};

/* True: r->fd is a socket to it.  False: not now. */
bool resident_ready(struct resident *r);
/* It has answered. */
void resident_answered(struct resident *r);
/* It has not: it is let go, and not started again for a while. */
void resident_leave(struct resident *r);
/* It is let go, and another may be started at once. */
void resident_end(struct resident *r);

#endif
