/* rcptask - what qmail-smtpd asks qmail-chkuser, and the answer.
 *
 * A question is `MODE PERCENT SPACE ADDRESS`, an answer one byte; NUL ends both (lib/asker.h):
 *	A90 Info@example.org	-> E
 * MODE is one letter of enum rcptask_mode; PERCENT, decimal, 0 to RCPTASK_PERCENT_MAX: a mailbox
 * that full takes nothing, 0 for never; ADDRESS has one to ADDR5321_MAX bytes.  Whoever asks
 * something else finds the pipe closed. */
#ifndef MAIL_RCPTASK_H
#define MAIL_RCPTASK_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define RCPTASK_PERCENT_MAX 1000U
#define RCPTASK_QUESTION_MAX ((size_t)920)	/* bytes of a question */

enum rcptask_mode {
	RCPTASK_ALWAYS = 'A',	/* whatever is delivered here is looked at */
	RCPTASK_DOMAIN = 'D'	/* only domains that bounce what they do not know */
};

enum rcptask_answer {
	RCPTASK_EXISTS = 'E',	/* or cannot be seen from here */
	RCPTASK_ANY = 'A',	/* whatever stands before the @ is taken, or another host knows */
	RCPTASK_NONE = 'N',
	RCPTASK_FULL = 'F',	/* it exists, but its quota is used up */
	RCPTASK_TROUBLE = 'T'	/* cannot be told just now */
};

struct rcptask {
	enum rcptask_mode mode;
	unsigned percent;
	struct span address;	/* borrowed */
};

/* Appends the question. */
void rcptask_put(struct buf *to, const struct rcptask *q);
/* q borrows from text.  -1: it is no question. */
MUST_CHECK int rcptask_get(struct span text, struct rcptask *q);
/* RCPTASK_TROUBLE for whatever is no answer. */
enum rcptask_answer rcptask_answer(char c);

#endif
