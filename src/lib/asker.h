/* asker - a program of ours that answers questions over two pipes, one after the other: a parser or
 * a reader that shall not share our rights.  It is started by the first question.
 *
 * A question and an answer are bytes without NUL, ended by NUL.  The program reads them from 0,
 * answers on 1 and ends with its input, so that it goes when we go, or when it was not asked for
 * ASKER_IDLE_MAX_MS; 2 is closed for it. */
#ifndef LIB_ASKER_H
#define LIB_ASKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "lib/span.h"

#define ASKER_QUESTION_MAX ((size_t)2048)	/* bytes with the NUL: a pipe takes them at once */

#define ASKER_END_MS (INT64_C(1000))	/* for one that was given up to be gone */
#define ASKER_IDLE_MAX_MS (INT64_C(3600000))	/* a program waits for its next question */

struct asker {
	bool running;
	int to, from;
	pid_t pid;		/* running, or given up and not yet waited for */
	struct io_out *tie;	/* flushed before an answer is waited for; or NULL */
};

/* *answer becomes the answer without its NUL; its cap is the longest that is taken.  One that has
 * ended since it last answered is started again.  -1: there is no answer (not started, gone, over
 * the cap, not within wait_ms); then the program is killed, if that is ours to do, and the next
 * question starts another, once this one has ended. */
MUST_CHECK int asker_ask(struct asker *a, char *const argv[], char *const envp[],
    struct span question, int64_t wait_ms, struct buf *answer);
/* Lets it go; it is not waited for. */
void asker_close(struct asker *a);

/* What the program itself does: it answers what comes on 0, until that ends, or no whole question
 * has come for idle_ms, on 1.  answer: appends the answer without its NUL and returns CODE_OK, or a
 * code to end with.  Both buffers are the caller's, empty, with the caps that bound a question and
 * an answer.  Returns the exit code: CODE_OK at the end, CODE_PERM for a question that is too long
 * or not whole, CODE_TEMP, or what answer said. */
struct asker_server {
	int (*answer)(void *data, struct span question, struct buf *answer);
	void *data;
	struct buf question, text;
	int64_t idle_ms;
};
MUST_CHECK int asker_serve(struct asker_server *s);

#endif
