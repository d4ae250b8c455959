/* lists - clients' names, senders and recipients that an administrator does not want: the control
 * files of the qregex and SPAMCONTROL families, the table in lists.c.  Patterns: smtp/patterns.h.
 *
 * What is found out at HELO and MAIL is remembered and refused at each RCPT, so that AUTH can come
 * in between and the log knows the recipient. */
#ifndef SMTP_LISTS_H
#define SMTP_LISTS_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "smtp/patterns.h"
#include "smtp/reply.h"

enum {
	LISTS_HELO,			/* badhelo */
	LISTS_HELO_STRANGERS,		/* badhelonorelay */
	LISTS_SENDER,			/* badmailfrom */
	LISTS_SENDER_STRANGERS,		/* badmailfromnorelay */
	LISTS_SENDER_NAMELESS,		/* badmailfromunknown */
	LISTS_SENDER_WILD,		/* badmailpatterns */
	LISTS_RECIPIENT,		/* badrcptto */
	LISTS_RECIPIENT_STRANGERS,	/* badrcpttonorelay */
	LISTS_RECIPIENT_WILD,		/* badrcptpatterns */
	LISTS_COUNT
};

struct lists {
	struct patterns of[LISTS_COUNT];
	bool log_pattern;		/* LOGREGEX */
};

/* A name or sender is on these. */
struct lists_hits {
	bool on[LISTS_COUNT];
	bool plain[LISTS_COUNT];	/* by a line that is an address */
	struct span line[LISTS_COUNT];	/* of the list, which lives on */
};

struct session;

/* cwd = the home directory; lists {0}.  Appends a line to *complaints for each line that cannot be
 * used.  -1: a file cannot be read, or memory. */
MUST_CHECK int lists_read(struct lists *lists, const struct ctlnames *names,
    struct buf *complaints);
void lists_free(struct lists *lists);

/* Checks (smtp/checks.h). */
MUST_CHECK enum reply lists_remember_helo(struct session *s, struct buf *helo);
MUST_CHECK enum reply lists_remember_sender(struct session *s, struct buf *sender);
MUST_CHECK enum reply lists_helo(struct session *s, struct buf *recipient);
MUST_CHECK enum reply lists_sender(struct session *s, struct buf *recipient);
MUST_CHECK enum reply lists_recipient(struct session *s, struct buf *recipient);

#endif
