/* steps - counts the instructions that processes execute in user space, one by one.
 *	steps PID...
 * Follows the processes and all that they start, from the line `ready` on; prints the number when
 * its standard input ends, and lets go of them.  Run by: root, which keeps set-uid programs
 * set-uid.  Processors that count instructions are not visible in most virtual machines. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHECK = 1000,		/* stops between two looks at standard input */
	FOLLOW = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_TRACEEXEC
};

/* true: standard input has ended. */
static int
told_to_end(void)
{
	char c;

	return read(0, &c, 1) == 0;
}

/* One stop of a process; the signal that it is to be continued with. */
static int
look(int status, uint64_t *count)
{
	int sig = WSTOPSIG(status);

	if (status >> 16 != 0)			/* an event of ptrace, or a stop by us */
		return 0;
	if (sig == SIGTRAP) {
		++*count;
		return 0;
	}
	return sig;
}

int
main(int argc, char **argv)
{
	uint64_t count = 0;
	unsigned idle = 0;
	int status;
	pid_t pid;

	for (int i = 1; i < argc; i++) {
		pid = (pid_t)atoi(argv[i]);
		if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)FOLLOW) == -1 ||
		    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == -1) {
			perror("steps");
			return 111;
		}
	}
	fcntl(0, F_SETFL, O_NONBLOCK);
	puts("ready");
	fflush(stdout);
	for (;;) {
		pid = waitpid(-1, &status, __WALL | WNOHANG);
		if (pid == -1 && errno == ECHILD)
			break;
		if (pid <= 0 || ++idle % CHECK == 0) {
			if (told_to_end())
				break;
			if (pid <= 0) {
				usleep(50);
				continue;
			}
		}
		if (WIFSTOPPED(status))
			ptrace(PTRACE_SINGLESTEP, pid, NULL,
			    (void *)(intptr_t)look(status, &count));
	}
	printf("%llu\n", (unsigned long long)count);
	return 0;
}
