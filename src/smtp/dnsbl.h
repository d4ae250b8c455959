/* dnsbl - lists of addresses in the name system, asked by qmail-smtpd itself: control/dnsbllist, or
 * the file that $DNSBLLIST names.  Once for a connection, when the first recipient has passed the
 * checks before.
 *
 *	bl.example			TXT record: 451 with its text, and the connection ends
 *	-bl.example			553 with its text for each recipient
 *	+wl.example			listed there: accepted, no further list is asked
 *	=bl.example			only a line in the log
 *	bl.example:%IP% is listed	A record: 451 with this text; a `-` after the colon: 553
 *
 * An A record counts if it is in 127.0.0.0/8 and not in 127.255.255.0/24, by which lists tell that
 * they do not answer. */
#ifndef SMTP_DNSBL_H
#define SMTP_DNSBL_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "smtp/reply.h"

#define DNSBL_LISTS_MAX 64
#define DNSBL_TOTAL_MS (INT64_C(60) * 1000)	/* for all lists; those behind count as failed */

struct session;

/* {0}: not asked yet. */
struct dnsbl {
	bool ran;
	enum dnsbl_verdict {
		DNSBL_PASS,
		DNSBL_IGNORE,		/* listed where it is only logged */
		DNSBL_ACCEPT,
		DNSBL_DELAY,
		DNSBL_REJECT,
		DNSBL_BROKEN		/* the list of lists cannot be used */
	} verdict;
	struct buf text;		/* of DELAY and REJECT */
};

struct dnsbl_line {
	enum {
		DNSBL_LISTED_DELAY,
		DNSBL_LISTED_REJECT,
		DNSBL_LISTED_ACCEPT,
		DNSBL_LISTED_LOG
	} action;
	struct span zone;
	struct span text;	/* p NULL: that of the TXT record */
};

/* One line of the file, which line borrows from.  false: it has no zone. */
MUST_CHECK bool dnsbl_parse_line(struct span text, struct dnsbl_line *line);
/* addresses: `127.0.0.2 127.0.0.4`.  Does one of them say that something is listed? */
bool dnsbl_is_listed(struct span addresses);

/* A check (smtp/checks.h). */
MUST_CHECK enum reply dnsbl_check(struct session *s, struct buf *recipient);
/* Is the client listed, as far as is known? */
bool dnsbl_hit(const struct session *s);
void dnsbl_free(struct dnsbl *d);

#endif
