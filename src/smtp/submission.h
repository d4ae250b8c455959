/* submission - mail of users who have authenticated (RFC 6409): whom they may call the sender, and
 * the fields that their programs leave to the server. */
#ifndef SMTP_SUBMISSION_H
#define SMTP_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "queue/incoming.h"
#include "smtp/reply.h"
#include "smtp/session.h"

#define SUBMISSION_NAME_MAX ((size_t)998)	/* of a field; a longer line begins the body */

/* May the one who has authenticated, if anybody has, use the sender of the transaction?  Asks
 * FORCEAUTHMAILFROM, and control/submitsenders with lines
 *
 *	joe:joe@a.example	login, address
 *	joe:@b.example		login, all of a domain
 *
 * A login that is an address may always use it, and everybody the empty sender, which receipts
 * need. */
MUST_CHECK enum reply submission_sender(const struct session *s);

/* A message passing by.  {0} passes everything as it is. */
struct submission {
	const struct session *s;	/* NULL: nothing is added, or no more */
	struct buf line;		/* the beginning of a header line, while it is not clear */
	bool in_line;			/* clear; its rest passes */
	bool any_line, has_date, has_id;
};

/* Adds Date and Message-ID at the end of the header, if they are not there, to what an
 * authenticated user sends; and an empty line where the header ends without one. */
void submission_begin(struct submission *f, const struct session *s);
void submission_text(struct submission *f, struct incoming *in, const char *p, size_t n);
/* After the last piece. */
void submission_end(struct submission *f, struct incoming *in);
void submission_free(struct submission *f);

#endif
