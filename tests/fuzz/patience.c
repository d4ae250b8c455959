/* patience - ends a program whose input never ends. */
#include "patience.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t left, most;

static void
tick(int signo)
{
	if (--left < 0) {
		(void)signal(signo, SIG_IGN);	/* the report may take longer than a tick */
		abort();
	}
}

void
patience_start(int seconds)
{
	const struct itimerval every_second = { { 1, 0 }, { 1, 0 } };
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };

	left = most = seconds;
	if (sigaction(SIGALRM, &action, NULL) == -1 ||
	    setitimer(ITIMER_REAL, &every_second, NULL) == -1)
		abort();
}

void
patience_renew(void)
{
	left = most;
}
