/* accounts - asks a qmail-getpw that stays, where it can (queue/accountproto.h).  Never waits for
 * long: what does not answer at once is left alone for a while. */
#ifndef SPAWN_ACCOUNTS_H
#define SPAWN_ACCOUNTS_H

#include <stdbool.h>

#include "lib/buf.h"
#include "spawn/resident.h"

#define ACCOUNTS_ANSWER_MS 100		/* longest wait for an answer */

/* Asks for a local part.  True: *code is what qmail-getpw would exit with, and if that is 0,
 * *answer what it would write.  False: not to be had this way, now; run it. */
bool accounts_ask(struct resident *getpw, const char *local, struct buf *answer, int *code);

#endif
