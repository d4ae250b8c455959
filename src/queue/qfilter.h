/* qfilter - a message and its envelope on their way through filters (qmail-qfilter(8)).
 * Both are kept in nameless files, so that a filter that fails or is killed leaves nothing behind
 * and nothing half done: what it wrote counts when it ends, or not at all. */
#ifndef QUEUE_QFILTER_H
#define QUEUE_QFILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/deadline.h"
#include "lib/span.h"

#define QFILTER_ENVELOPE_MAX ((size_t)64 << 20)	/* bytes */
#define QFILTER_RCPTS_MAX ((size_t)100000)	/* bytes of $QMAILRCPTS; it is not set above */
#define QFILTER_PROGRAM_MAX ((size_t)1024)	/* bytes of a program's name */
#define QFILTER_STOP 99		/* of a filter: all done, queue nothing */
#define QFILTER_WAIT_S 300	/* seconds for all filters of a message; control/filtertimeout */

struct qfilter {
	int message, envelope;	/* files, close-on-exec; -1: none yet */
	int error_fd;		/* for the words of a refusal, from who runs us; -1: none */
	struct buf program;	/* chosen by a filter in place of qmail-queue; empty: none */
	int64_t deadline;	/* for the filters (lib/deadline.h) */
};

#define QFILTER_EMPTY { .message = -1, .envelope = -1, .error_fd = -1, .deadline = DEADLINE_NONE }

/* control/filtertimeout, at least one second; cwd = the home directory.  -1: cannot be read. */
MUST_CHECK int qfilter_read_wait(int64_t *wait_ms);

/* Reads descriptors 0 and 1 to their ends.  0, or an exit code of queue/qqcode.h: QQ_READ also for
 * an envelope that is not finished, QQ_FORMAT for one that is none. */
MUST_CHECK int qfilter_take(struct qfilter *f);
/* Domain of the sender, appended; may be empty.  0, or an exit code. */
MUST_CHECK int qfilter_sender_domain(const struct qfilter *f, struct buf *domain);
/* Runs one filter: argv[0] is looked for in PATH.
 * It has the message on 0 and the envelope on 3, and may write a new message to 1, a new envelope
 * to 4, the name of a queue program with a NUL to 5, the words of a refusal to 6; 2 is ours.
 * Environment: QMAILUSER, QMAILHOST, QMAILRCPTS (one a line), NUMRCPTS, MSGSIZE, ENVSIZE.
 * 0: it exited 0, and what it wrote is in place; QFILTER_STOP; else the exit code to end with.
 * QQ_TIMEOUT also for one that was killed, with what it had started, because it was still running
 * at the deadline: then `*late` is set. */
MUST_CHECK int qfilter_run(struct qfilter *f, char *const argv[], bool *late);
/* Becomes the program that queues: chosen by a filter, else $QQF_QMAILQUEUE, else qmail-queue;
 * cwd = the home directory.  Returns an exit code if that fails. */
MUST_CHECK int qfilter_queue(struct qfilter *f);
void qfilter_free(struct qfilter *f);

#endif
