/* plugins - qmail-spp plug-ins: programs that are asked at each stage of the dialogue.
 *
 * ENABLE_SPP turns them on; control/smtpplugins, or the file that SPPCONFFILE names, has them:
 *
 *	[rcpt]
 *	plugins/greylist		a path, run without arguments
 *	:plugins/check $SMTPRCPTTO	a line for /bin/sh
 *
 * with the sections connection, helo, mail, rcpt, pass, data and auth, of which the first letter
 * counts.  What a plug-in writes to descriptor 1 is obeyed line by line: qmail-policy(5). */
#ifndef SMTP_PLUGINS_H
#define SMTP_PLUGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "queue/incoming.h"
#include "smtp/reply.h"

#define PLUGINS_MAX ((size_t)100)
#define PLUGINS_WAIT_S 60		/* spptimeout */
#define PLUGINS_OUTPUT_MAX ((size_t)65536)	/* bytes of one answer */
#define PLUGINS_FIELDS_MAX ((size_t)65536)	/* of the header fields of one message */

enum plugins_later { PLUGINS_LATER_MAIL, PLUGINS_LATER_RCPT, PLUGINS_LATER_DATA,
	PLUGINS_LATER_COUNT };

/* What is configured.  {0}: none. */
struct plugins {
	bool on;
	bool trusted;			/* the list is root's: they may set any variable */
	struct buf text;		/* of the list */
	struct plugin {
		char section;		/* c h m r p d a */
		size_t at;		/* in text, a C string */
	} list[PLUGINS_MAX];
	size_t n;
	int64_t wait_ms;
};

/* What they have said to one session.  {0} at its start. */
struct plugins_said {
	bool no_more;			/* A: none is asked any more */
	bool skip;			/* O: nor are we, about this command */
	char section;			/* of the one that is asked */
	struct buf later[PLUGINS_LATER_COUNT];	/* texts of errors */
	struct buf lasting, fields;	/* header lines: of all messages, of this one */
	uint64_t recipients;		/* RCPT commands of this transaction */
};

struct session;

/* cwd = the home directory.  -1: the list cannot be read, or is too long. */
MUST_CHECK int plugins_read(struct plugins *p, const struct ctlnames *names);
void plugins_free(struct plugins *p);
void plugins_said_free(struct plugins_said *said);
/* The transaction is over. */
void plugins_said_reset(struct plugins_said *said);

/* At DATA, behind our Received: what they have added to the header. */
void plugins_put_fields(const struct plugins_said *said, struct incoming *in);

/* Checks (smtp/checks.h), one for each section. */
MUST_CHECK enum reply plugins_connection(struct session *s, struct buf *none);
MUST_CHECK enum reply plugins_helo(struct session *s, struct buf *helo);
MUST_CHECK enum reply plugins_mail(struct session *s, struct buf *sender);
MUST_CHECK enum reply plugins_rcpt(struct session *s, struct buf *recipient);
MUST_CHECK enum reply plugins_pass(struct session *s, struct buf *recipient);
MUST_CHECK enum reply plugins_data(struct session *s, struct buf *none);
MUST_CHECK enum reply plugins_auth(struct session *s, struct buf *none);

#endif
