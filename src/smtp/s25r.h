/* s25r - "selective SMTP rejection" (H. Asami): a client without a name, or with one as dial-up
 * lines have it, is asked to come again; a mail server does, or is put on the white list.
 *
 * $S25R: not set: off.  `greylist`: nobody is refused, but greylisting is for these clients only.
 * Anything else: 450 for each recipient.  Before, control/s25rwhite and whitelist/ are looked at:
 * lines with an address, a name, or `.` and the end of names. */
#ifndef SMTP_S25R_H
#define SMTP_S25R_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "smtp/reply.h"

#define S25R_NAME_MAX ((size_t)255)	/* bytes of a name that are looked at */

struct session;

/* {0}: not asked yet. */
struct s25r {
	bool ran;
	enum s25r_verdict {
		S25R_PASS,
		S25R_NAMELESS,
		S25R_RULE,		/* the name matches rule */
		S25R_BROKEN		/* control/s25rwhite cannot be read, or memory */
	} verdict;
	unsigned rule;			/* from 1 */
};

/* The number of the first rule that this name, in lower case, matches; 0: none.  -1: out of
 * memory. */
MUST_CHECK int s25r_rule(struct span name);

/* A check (smtp/checks.h). */
MUST_CHECK enum reply s25r_check(struct session *s, struct buf *recipient);
/* Does greylisting leave this client alone, because only those who fail here are meant?  1, 0, or
 * -1: control/s25rwhite cannot be read, or memory. */
MUST_CHECK int s25r_spares(struct session *s);

#endif
