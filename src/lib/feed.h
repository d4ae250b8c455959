/* feed - running a program on input that we make: some lines of ours, then the rest of a
 * descriptor.
 *
 *	feed_run((char *[]){ "cat", NULL }, span_str("Date: ...\n"), 0, &code) */
#ifndef LIB_FEED_H
#define LIB_FEED_H

#include "lib/attr.h"
#include "lib/span.h"

enum feed_status {
	FEED_OK,	/* it ran; *code */
	FEED_PIPE,	/* no pipe; errno, as for all below */
	FEED_FORK,	/* no process */
	FEED_EXEC,	/* the program cannot be run */
	FEED_READ,	/* the descriptor could not be read; the program was killed */
	FEED_WRITE,	/* the pipe could not be written; likewise */
	FEED_WAIT,	/* how it ended is not known */
	FEED_CRASH	/* it was killed by a signal */
};

/* Runs argv, found through PATH, with our descriptors but a pipe as 0, and waits for it.  It need
 * not read everything, but is killed before it could take a part for the whole.  *code:
 * its exit code, 0..255, for FEED_OK only.  The caller ignores SIGPIPE. */
MUST_CHECK enum feed_status feed_run(char *const argv[], struct span head, int from, int *code);

#endif
