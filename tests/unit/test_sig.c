/* sig: dispositions, masks, the watch. */
#include "lib/sig.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/proc.h"
#include "tap.h"

static volatile sig_atomic_t seen;

static void
on_signal(int signo)
{
	seen = signo;
}

static bool
is_blocked(int signo)
{
	sigset_t set;

	return sigprocmask(SIG_SETMASK, NULL, &set) == 0 && sigismember(&set, signo) == 1;
}

static void
block(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool
is_ignored(int signo)
{
	struct sigaction sa;

	return sigaction(signo, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void
test_disposition(struct tap *t)
{
	sig_ignore(SIGUSR1);
	ok(t, is_ignored(SIGUSR1) && raise(SIGUSR1) == 0, "ignored");
	sig_catch(SIGUSR1, on_signal);
	ok(t, raise(SIGUSR1) == 0 && seen == SIGUSR1, "caught");
	block(SIGUSR1);
	seen = 0;
	ok(t, is_blocked(SIGUSR1) && raise(SIGUSR1) == 0 && !seen, "blocked");
	sig_unblock(SIGUSR1);
	ok(t, !is_blocked(SIGUSR1) && seen == SIGUSR1, "unblocked: it arrives");
	block(SIGUSR1);
	block(SIGUSR2);
	sig_unblock_all();
	ok(t, !is_blocked(SIGUSR1) && !is_blocked(SIGUSR2), "none blocked");
	sig_default(SIGUSR1);
	ok(t, !is_ignored(SIGUSR1), "default");
}

static void
test_heed(struct tap *t)
{
	(void)signal(SIGWINCH, SIG_IGN);
	sig_heed(SIGWINCH);
	ok(t, !is_ignored(SIGWINCH), "ignored from the start: default");
	sig_catch(SIGWINCH, on_signal);
	sig_heed(SIGWINCH);
	ok(t, raise(SIGWINCH) == 0 && seen == SIGWINCH, "caught: stays");
	sig_ignore(SIGWINCH);
	sig_heed(SIGWINCH);
	ok(t, is_ignored(SIGWINCH), "ignored by us: stays");
}

static void
test_reset(struct tap *t)
{
	pid_t pid;
	int status;

	fflush(stdout);
	sig_ignore(SIGPIPE);
	block(SIGTERM);
	sig_catch(SIGALRM, on_signal);
	pid = fork();
	if (pid == 0) {
		sig_reset_all();
		_exit(is_ignored(SIGPIPE) || is_blocked(SIGTERM) ? 1 : 0);
	}
	ok(t, pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "reset");
	pid = proc_fork();
	if (pid == 0) {
		(void)raise(SIGALRM);
		_exit(0);
	}
	ok(t, pid > 0 && proc_wait(pid, &status) == 0 && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGALRM, "a child of proc_fork is reset");
	ok(t, is_ignored(SIGPIPE) && is_blocked(SIGTERM), "the parent is not");
	sig_unblock_all();
	sig_default(SIGALRM);
	sig_default(SIGPIPE);
}

static void
test_watch(struct tap *t)
{
	int fd = sig_watch_open();

	ok(t, fd > 2 && !readable(fd), "opened");
	sig_watch(SIGHUP);
	sig_watch(SIGALRM);
	ok(t, !sig_watch_take(SIGHUP), "nothing yet");
	ok(t, raise(SIGHUP) == 0 && readable(fd), "readable after a signal");
	sig_watch_drain();
	ok(t, !readable(fd), "drained");
	ok(t, sig_watch_take(SIGHUP) && !sig_watch_take(SIGHUP) && !sig_watch_take(SIGALRM),
	    "taken once");
	for (int i = 0; i < 100000; i++)	/* more than the pipe holds */
		(void)raise(SIGALRM);
	sig_watch_drain();
	ok(t, !readable(fd) && sig_watch_take(SIGALRM) && !sig_watch_take(SIGALRM), "a storm");
	ok(t, !sig_watch_take(0) && !sig_watch_take(-1) && !sig_watch_take(1000), "no such signal");
}

int
main(void)
{
	struct tap t = { 0 };

	test_disposition(&t);
	test_heed(&t);
	test_reset(&t);
	test_watch(&t);
	return done(&t);
}
