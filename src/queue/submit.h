/* submit - hand one message to qmail-queue, or to the program that $QMAILQUEUE names.
 *
 *	struct submit s;
 *	if (submit_open(&s) == -1) ...cannot start: temporary...
 *	submit_message(&s, p, n) ...                        as often as needed
 *	submit_sender(&s, sender);                          closes the message
 *	submit_recipient(&s, recipient) ...
 *	submit_abort(&s)                                    if anything went wrong on our side
 *	result = submit_close(&s, &text);
 *
 * The program finds the message on descriptor 0, the envelope on 1, and on 4 and 6 (and on
 * $ERROR_FD, if that is 2 to SUBMIT_ERROR_FD_MAX) a pipe for the reason of exit code 82.  Its other
 * descriptors are those of ours that are not close-on-exec.
 *
 * The first failure sticks; from then on the final NUL of the envelope is withheld, so that
 * nothing is queued.  The caller ignores SIGPIPE.  cwd need not be the home directory. */
#ifndef QUEUE_SUBMIT_H
#define QUEUE_SUBMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "lib/span.h"

#define SUBMIT_BUFFER 4096
#define SUBMIT_TEXT_MAX ((size_t)255)	/* bytes of a custom error, with its class letter */
#define SUBMIT_ERROR_FD_MAX 255
/* How long the program may take after the end of the envelope.  Longer than qmail-queue allows
 * itself (QLAYOUT_WRITER_MAX_S), so this is for other programs, which may hang. */
#define SUBMIT_WAIT_S 90000

enum submit_result { SUBMIT_OK, SUBMIT_TEMPORARY, SUBMIT_PERMANENT };

struct submit {
	pid_t pid;		/* shown to users as `qp` */
	struct io_out out;	/* the message pipe, then the envelope pipe */
	char buffer[SUBMIT_BUFFER];
	int message_fd, envelope_fd, error_fd;	/* our ends, -1 when closed */
	int start_code;		/* exit code that stands for a program that did not start, or 0 */
	int64_t wait_ms;	/* SUBMIT_WAIT_S; may be changed after submit_open */
	bool failed;		/* withhold the end of the envelope */
	bool in_envelope;
	bool ended;		/* submit_end was here */
};

/* Reads QMAILQUEUE and ERROR_FD from the environment.  An empty QMAILQUEUE is the name of no
 * program: a filter whose name got lost lets nothing pass.
 * -1 with errno: pipe, fork or memory; no process is left.  An exec that fails is reported by
 * submit_close (exit 120), as for a program that could not start. */
MUST_CHECK int submit_open(struct submit *s);
void submit_message(struct submit *s, const void *p, size_t n);
/* Copies the rest of fd.  -1: fd could not be read (the submission is aborted then). */
MUST_CHECK int submit_copy(struct submit *s, int fd);
void submit_abort(struct submit *s);
void submit_sender(struct submit *s, struct span sender);
void submit_recipient(struct submit *s, struct span recipient);	/* a NUL inside aborts */
/* Deadline for writes to a slow queue program, as io_out; DEADLINE_NONE at first. */
void submit_set_timeout(struct submit *s, int64_t timeout_ms);
/* Ends the envelope and closes our ends, without waiting: for callers that have other work until
 * the process ends (sys_pidfd(s->pid) tells).  submit_close must follow. */
void submit_end(struct submit *s);
/* submit_end, if that was not called; waits for the process, which is killed after wait_ms
 * (QQ_TIMEOUT), and decides by its exit code (table in submit.c).  *text is replaced by the reason
 * without class letter, e.g. `qq read error (#4.3.0)`; empty for OK.  Custom text is one line of
 * printable US-ASCII with a code of RFC 3463: the program's, or `(#5.7.1)` or `(#4.3.0)` behind
 * it. */
MUST_CHECK enum submit_result submit_close(struct submit *s, struct buf *text);

#endif
