/* checks - what is asked about a client, its name, senders and recipients before they are
 * accepted: one table for each stage of the dialogue, in the order of qmail-policy(5).
 *
 * A check returns REPLY_OK to go on with the next, or the reply that the client gets.  A text that
 * is not fixed (smtp/reply.h) it hands to checks_say.  What a check needs of a session is a member
 * of struct session, {0} at first; what it is told by control files and environment is read by
 * smtpconf_read.  With its switch off a check makes no system call. */
#ifndef SMTP_CHECKS_H
#define SMTP_CHECKS_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "smtp/reply.h"
#include "smtp/session.h"

enum checks_stage {
	CHECKS_CONNECT,		/* before the greeting; address: NULL */
	CHECKS_HELO,		/* s->hello is set, the reply not written; address: &s->hello */
	CHECKS_MAIL,		/* parameters are right; address: &s->sender */
	CHECKS_RCPT,		/* address: the recipient */
	CHECKS_AUTH,		/* the login was right; address: NULL */
	CHECKS_DATA,		/* before the queue program is started; address: NULL */
	CHECKS_STAGES
};

#define CHECKS_TEXT_MAX ((size_t)500)	/* bytes of a reply with its code; the rest is cut off */

/* The first reply of a check that is not REPLY_OK, with a line in the log if that is wanted; or
 * REPLY_OK. */
MUST_CHECK enum reply checks_run(struct session *s, enum checks_stage stage, struct buf *address);

/* Makes `text` the reply: one line, begins with its code (`550 no (#5.1.1)`); what is not printable
 * becomes `?`.  The return value is for the check to return; the reply is written already.
 * checks_end: and the connection ends. */
MUST_CHECK enum reply checks_say(struct session *s, struct span text);
MUST_CHECK enum reply checks_end(struct session *s, struct span text);

#endif
