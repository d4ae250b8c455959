/* results - what qmail-smtpd has found out about a message's author, for the field
 * Authentication-Results that qmail-queue makes (mail/authres.h): who has authenticated, and SPF.
 *
 * On if control/authservid is there, or $QMAILAUTHENTICATED is set, also to nothing: what it says
 * comes before our results.  Then fields with our id that the client sends are left out.  A plug-in
 * may set the variable at any time before DATA; then it is on from that message to the end of the
 * connection, or until controls are read again. */
#ifndef SMTP_RESULTS_H
#define SMTP_RESULTS_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "smtp/reply.h"

struct resultsconf {
	bool on;
	struct buf id;		/* ours */
};

struct session;

/* *conf {0}; names: NULL = all may be there, and it is on.  -1, with a line in the log: a control
 * file cannot be used. */
MUST_CHECK int results_read(struct resultsconf *conf, const struct ctlnames *names);
void results_free(struct resultsconf *conf);

/* {0}: the variable is as it was. */
struct results {
	bool told, was_set;
	struct buf before;
};

/* Sets the variable for the program that queues this message, if that is on, which
 * s->conf->results says from now on.  REPLY_OK, REPLY_CONTROLS as results_read has it, or
 * REPLY_QUEUE_START: out of memory. */
MUST_CHECK enum reply results_tell(struct results *r, struct session *s);
/* As it was.  A failure leaves no variable. */
void results_forget(struct results *r);

#endif
