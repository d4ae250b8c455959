/* accounts - asks a qmail-getpw that stays, where it can (queue/accountproto.h).  Nothing else is
 * done while it is waited for, so that is never for long: what does not answer at once is left
 * alone for a while, and what answers slowly is not asked for the rest of the second.  Then each
 * delivery has a qmail-getpw of its own, and they wait at the same time. */
#ifndef SPAWN_ACCOUNTS_H
#define SPAWN_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "spawn/resident.h"

#define ACCOUNTS_ANSWER_MS 100		/* longest wait for an answer */
/* An answer that takes so long is slow, which those on a busy machine hardly are, */
#define ACCOUNTS_SLOW_MS 20
#define ACCOUNTS_SHARE_MS 200		/* and so much of each second may be spent on them. */

/* {0} but for `getpw` without its state. */
struct accounts {
	struct resident getpw;
	int64_t second;			/* when it began */
	int64_t waited_ms;		/* in it, for slow answers */
};

/* Asks for a local part.  True: *code is what qmail-getpw would exit with, and if that is 0,
 * *answer what it would write.  False: not to be had this way, now; run it. */
bool accounts_ask(struct accounts *a, const char *local, struct buf *answer, int *code);
/* A child of ours has ended that has no delivery. */
void accounts_reaped(struct accounts *a, pid_t pid);

#endif
