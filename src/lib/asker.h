/* asker - a program of ours that answers questions over two pipes, one after the other: a parser or
 * a reader that shall not share our rights.  It is started by the first question.
 *
 * A question and an answer are bytes without NUL, ended by NUL.  The program reads them from 0,
 * answers on 1 and ends with its input, so that it goes when we go; 2 is closed for it. */
#ifndef LIB_ASKER_H
#define LIB_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define ASKER_QUESTION_MAX ((size_t)2048)	/* bytes with the NUL: a pipe takes them at once */

struct asker {
	bool running;
	int to, from;
};

/* *answer becomes the answer without its NUL; its cap is the longest that is taken.  -1: there is
 * none (not started, gone, over the cap, not within wait_ms); then the program is let go, and the
 * next question starts another. */
MUST_CHECK int asker_ask(struct asker *a, char *const argv[], char *const envp[],
    struct span question, int64_t wait_ms, struct buf *answer);
/* Lets it go; it is not waited for. */
void asker_close(struct asker *a);

#endif
