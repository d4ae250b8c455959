/* runner - a program of the administrator's that is asked about one command of the dialogue
 * (RCPTCHECK, plug-ins) and answers with text on a pipe and its exit code. */
#ifndef SMTP_RUNNER_H
#define SMTP_RUNNER_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"

enum runner_status {
	RUNNER_DONE,		/* it ended; its exit code is known */
	RUNNER_NO_PIPE,
	RUNNER_NO_FORK,
	RUNNER_NO_EXEC,
	RUNNER_CRASHED,		/* by a signal */
	RUNNER_NO_WAIT,
	RUNNER_SLOW		/* it was still running after wait_ms, and was killed */
};

/* Runs argv[0], a path, in our environment: 0 is /dev/null, out_fd (1 or above 2) the pipe for its
 * answer, what is left of 1 and 2 the log, or /dev/null where that is the client.  *text becomes
 * what it wrote; over its cap is read and thrown away.  It is done when it ends, even if something
 * that it has left behind still has the pipe.  *code: 0 to 255, of RUNNER_DONE. */
MUST_CHECK enum runner_status runner_run(char *const argv[], int out_fd, int64_t wait_ms,
    struct buf *text, int *code);

#endif
