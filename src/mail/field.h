/* field - what a line of a message's header is, and which field it starts (RFC 5322, 2.2).
 * Lines are without their LF; CR is an ordinary byte here, whoever reads decides about it.
 *
 *	To: ann@a.example	FIELD_LINE_START, name `To`, rest ` ann@a.example`
 *	  (folded)		FIELD_LINE_FOLDED
 *	From ann Mon Jan ...	FIELD_LINE_MBOX, the separator of an mbox; also `From : x`
 *	(empty line)		FIELD_LINE_END
 *	Hello Ann,		FIELD_LINE_BODY: the header ended without an empty line */
#ifndef MAIL_FIELD_H
#define MAIL_FIELD_H

#include "lib/span.h"

enum field_line {
	FIELD_LINE_START,
	FIELD_LINE_FOLDED,	/* begins with space or tab; belongs to the field before it */
	FIELD_LINE_MBOX,
	FIELD_LINE_END,
	FIELD_LINE_BODY
};

/* The names that mean something to programs of the suite. */
enum field_id {
	FIELD_OTHER,
	FIELD_APPARENTLY_TO,
	FIELD_AUTO_SUBMITTED,
	FIELD_BCC,
	FIELD_CC,
	FIELD_CONTENT_LENGTH,
	FIELD_DATE,
	FIELD_DELIVERED_TO,
	FIELD_ERRORS_TO,
	FIELD_FROM,
	FIELD_MAIL_FOLLOWUP_TO,
	FIELD_MESSAGE_ID,
	FIELD_NOTICE_REQUESTED,	/* Notice-Requested-Upon-Delivery-To */
	FIELD_RECEIVED,
	FIELD_REPLY_TO,
	FIELD_RESENT_BCC,
	FIELD_RESENT_CC,
	FIELD_RESENT_DATE,
	FIELD_RESENT_FROM,
	FIELD_RESENT_MESSAGE_ID,
	FIELD_RESENT_REPLY_TO,
	FIELD_RESENT_SENDER,
	FIELD_RESENT_TO,
	FIELD_RETURN_PATH,
	FIELD_RETURN_RECEIPT_TO,
	FIELD_SENDER,
	FIELD_SUBJECT,
	FIELD_TO,
	FIELD_COUNT
};

/* name and rest may be NULL; they are set for FIELD_LINE_START only.  The name is without blanks
 * before the colon, the rest is what follows the colon.  A name is 1 or more bytes of 33..126.
 * FIELD_LINE_FOLDED is returned for the first line of a message, too: that it has nothing to
 * continue, and so begins the body, only the caller knows. */
enum field_line field_classify(struct span line, struct span *name, struct span *rest);
/* Case does not matter. */
enum field_id field_identify(struct span name);

#endif
