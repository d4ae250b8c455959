/* smtplog - what qmail-smtpd says on descriptor 2 about its decisions (qmail-policy(5), LOG).  Each
 * line is one write of at most SMTPLOG_MAX bytes, and none where 2 is the client.
 *
 * QMAILSMTPD_LOG names the styles that are wanted, e.g. `refusal session`; without it only checks
 * whose original did so have lines of their own. */
#ifndef SMTP_SMTPLOG_H
#define SMTP_SMTPLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/buf.h"
#include "lib/span.h"
#include "smtp/reply.h"

#define SMTPLOG_MAX ((size_t)4096)
#define SMTPLOG_VALUE_MAX ((size_t)900)	/* bytes of one value that a client has chosen */

enum {
	SMTPLOG_REFUSAL = 1,	/* the logging patch: one line for each refusal */
	SMTPLOG_QLOG = 2,	/* qlogenvelope:, qlogreceived: */
	SMTPLOG_SQMAIL = 4,	/* Accept::, Reject:: */
	SMTPLOG_SESSION = 8,	/* one line when the connection ends */
	SMTPLOG_MAIL = 16,	/* each MAIL */
	SMTPLOG_RCPT = 32	/* each RCPT */
};

struct session;

/* The styles that the environment asks for. */
unsigned smtplog_styles(void);

/* A value in a line: other bytes than 33 to 126 become `_`, a long one is cut. */
void smtplog_add(struct buf *line, struct span value);
/* Writes `qmail-smtpd[4711]: LINE`; frees the line. */
void smtplog_put(struct buf *line);

/* Each of these lines by itself. */
void smtplog_lines(const struct buf *lines);

/* `unable to read control/badhelo: access denied`, by errno, which stays (EPROTO: `it is damaged`);
 * file: its name in control/, or a path.  Returns -1. */
int smtplog_unread(const char *file);

/* The connection ends before there is a session, r is in place of the greeting.  Reads the
 * environment. */
void smtplog_unserved(enum reply r);
/* After each command, and a `connect` that is refused; r: what it was answered. */
void smtplog_command(const struct session *s, struct span verb, enum reply r);
/* A message of so many bytes is queued. */
void smtplog_message(const struct session *s, pid_t qp, uint64_t size);
void smtplog_end(const struct session *s);

#endif
