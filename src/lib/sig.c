/* sig - signals without surprises: dispositions, masks, and a self-pipe for event loops. */
#include "lib/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/sys.h"

#define SIGNALS 65

/* The handler can reach nothing else.  -1: no watch. */
static volatile sig_atomic_t watch_read = -1;
static volatile sig_atomic_t watch_write = -1;
static volatile sig_atomic_t caught[SIGNALS];
static volatile sig_atomic_t ignored[SIGNALS];	/* by us */

static void
dispose(int signo, void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	sigemptyset(&sa.sa_mask);
	(void)sigaction(signo, &sa, NULL);
}

void
sig_ignore(int signo)
{
	dispose(signo, SIG_IGN);
	if (signo > 0 && signo < SIGNALS)
		ignored[signo] = 1;
}

void
sig_default(int signo)
{
	dispose(signo, SIG_DFL);
}

void
sig_catch(int signo, void (*handler)(int))
{
	dispose(signo, handler);
}

void
sig_heed(int signo)
{
	struct sigaction sa;

	if (!ignored[signo] && sigaction(signo, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
		sig_default(signo);
}

void
sig_unblock(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void
sig_unblock_all(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void
sig_reset_all(void)
{
	for (int signo = 1; signo < SIGNALS; signo++)
		sys_default_signal(signo);	/* KILL and STOP fail harmlessly */
	sig_unblock_all();
}

void
sig_reset_ours(void)
{
	for (int signo = 1; signo < SIGNALS; signo++)
		if (ignored[signo])
			sys_default_signal(signo);
	sig_unblock_all();
}

static void
on_watched(int signo)
{
	int error = errno;

	if (signo > 0 && signo < SIGNALS)
		caught[signo] = 1;
	/* EAGAIN, full: it is readable already. */
	while (watch_write != -1 && write((int)watch_write, "", 1) == -1 && errno == EINTR)
		continue;
	errno = error;
}

int
sig_watch_open(void)
{
	int fds[2];

	if (sys_pipe(fds) == -1)
		return -1;
	if (io_nonblock(fds[0], true) == -1 || io_nonblock(fds[1], true) == -1) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	watch_read = fds[0];
	watch_write = fds[1];
	return fds[0];
}

void
sig_watch(int signo)
{
	sig_catch(signo, on_watched);
}

void
sig_watch_drain(void)
{
	char sink[64];

	while (io_read((int)watch_read, sink, sizeof sink) > 0)
		;
}

bool
sig_watch_take(int signo)
{
	if (signo <= 0 || signo >= SIGNALS || !caught[signo])
		return false;
	caught[signo] = 0;
	return true;
}
