/* spfcheck - what a session does about SPF: spfbehavior, by itself or as $SPFBEHAVIOR or $SPF.
 *
 *			0  1	   2	   3	   4	   5	   6
 *	header added	no yes	   yes	   yes	   yes	   yes	   yes
 *	temperror	-  accept  451	   451	   451	   451	   451	  at MAIL
 *	fail		-  accept  accept  550	   550	   550	   550	  at each RCPT
 *	softfail	-  accept  accept  accept  550	   550	   550
 *	neutral		-  accept  accept  accept  accept  550	   550
 *	none, permerror	-  accept  accept  accept  accept  accept  550
 *
 * Clients that may relay are not checked (smtp/checks.c).  The result is in $SPFRESULT for what
 * runs later. */
#ifndef SMTP_SPFCHECK_H
#define SMTP_SPFCHECK_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "queue/incoming.h"
#include "smtp/reply.h"
#include "spf/helper.h"

#define SPFCHECK_LEVEL_TOP 6

struct session;

/* {0} to start. */
struct spfcheck {
	bool level_known;
	unsigned level;			/* 0 = off */
	bool ran;			/* for the transaction that is open */
	enum spf_result result;
	struct buf text, explanation;	/* printable, one line each */
	struct spf_helper helper;
};

/* At MAIL, sender and HELO known.  REPLY_OK, or the refusal. */
MUST_CHECK enum reply spfcheck_mail(struct session *s);
/* At RCPT.  REPLY_OK, or what checks_say gave for the refusal. */
MUST_CHECK enum reply spfcheck_recipient(struct session *s);
/* At DATA, behind our Received: the field Received-SPF, if the check ran. */
void spfcheck_put_header(const struct session *s, struct incoming *in);
/* The transaction is over. */
void spfcheck_reset(struct spfcheck *c);
void spfcheck_free(struct spfcheck *c);

#endif
