/* accounts - asks a qmail-getpw that stays, where it can (queue/accountproto.h).  Never waits for
 * long: what does not answer at once is left alone for a while. */
#ifndef SPAWN_ACCOUNTS_H
#define SPAWN_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/buf.h"
#include "lib/proc.h"

#define ACCOUNTS_ANSWER_MS 100		/* longest wait for an answer */
#define ACCOUNTS_REST_MS 1000		/* after one that did not come */
#define ACCOUNTS_GREETING_MS 10000	/* what has not greeted by then will not */

enum accounts_state { ACCOUNTS_NONE, ACCOUNTS_STARTED, ACCOUNTS_READY, ACCOUNTS_UNFIT };

/* All zero but for program and cred: no process yet.  The process ends when fd is closed; whoever
 * reaps all children of the program reaps it. */
struct accounts {
	char *program;			/* path of qmail-getpw, borrowed */
	struct proc_cred cred;		/* who it runs as */
	enum accounts_state state;
	int fd;				/* STARTED, READY */
	struct stat file;		/* the program that was started */
	int64_t until;			/* NONE: rests; STARTED: may greet */
};

/* Asks for a local part.  True: *code is what qmail-getpw would exit with, and if that is 0,
 * *answer what it would write.  False: not to be had this way, now; run it. */
bool accounts_ask(struct accounts *a, const char *local, struct buf *answer, int *code);

#endif
