/* sig - signals without surprises: dispositions, masks, and a self-pipe for event loops. */
#ifndef LIB_SIG_H
#define LIB_SIG_H

#include <stdbool.h>

#include "lib/attr.h"

void sig_ignore(int signo);
void sig_default(int signo);
/* Installs a handler without SA_RESTART.  It may set a flag, write a byte or _exit. */
void sig_catch(int signo, void (*handler)(int));
void sig_unblock(int signo);
/* Back to default if we were started with it ignored.  What we ignore or catch stays so. */
void sig_heed(int signo);
/* No signal blocked. */
void sig_unblock_all(void);
/* Nothing blocked, nothing ignored, whatever we were started with.  Async-signal-safe. */
void sig_reset_all(void);
/* For a child that becomes another program, where nothing is caught any more: nothing blocked, and
 * nothing ignored that we did not find so.  Async-signal-safe. */
void sig_reset_ours(void);

/* The watch: a caught signal sets its flag and makes the descriptor readable, so that poll(2)
 * cannot sleep over it.  sig_watch_open: once per process; the descriptor, or -1 with errno. */
MUST_CHECK int sig_watch_open(void);
void sig_watch(int signo);
/* Empties the descriptor; call it before looking at the flags. */
void sig_watch_drain(void);
/* Was it caught since the last call? */
bool sig_watch_take(int signo);

#endif
