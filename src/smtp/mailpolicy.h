/* mailpolicy - control/policy: with whom the users of a domain may exchange mail.
 *
 * One line for each domain, the first of equal ones counts:
 *	example.org:RLEI,joe:rE(*@partner.example,customer.example),
 * rules for the domain, then for single users of it.  A rule is a letter, upper case allows, lower
 * case forbids: L sending to one's own domain, I receiving from it, R sending to other domains, E
 * receiving from them.  Patterns after a letter are of the other's address (smtp/wildmat.h, lower
 * case; `<>` for the empty sender; without @ and wildcards a domain), and the rule holds for those
 * only.  A rule with a pattern that matches counts more than one without, a later one more than an
 * earlier, a user's more than the domain's; what no rule says is allowed. */
#ifndef SMTP_MAILPOLICY_H
#define SMTP_MAILPOLICY_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "lib/span.h"
#include "smtp/reply.h"

#define MAILPOLICY_LINE_MAX ((size_t)65536)	/* bytes of a line */

struct mailpolicy {
	struct buf text;	/* as ctl_list leaves it, patterns in lower case; empty: no rules */
};

enum mailpolicy_verdict { MAILPOLICY_UNSAID, MAILPOLICY_ALLOWED, MAILPOLICY_DENIED,
	MAILPOLICY_BROKEN };

struct session;

/* Reads the file, if it exists.  Appends a line to *complaints for each line that is malformed: its
 * domain exchanges mail with nobody for now.  -1 with errno: cannot be read, or memory. */
MUST_CHECK int mailpolicy_read(struct mailpolicy *p, const struct ctlnames *names,
    struct buf *complaints);
void mailpolicy_free(struct mailpolicy *p);

/* May the sender (empty: a bounce) send to the recipient?  Both domains are asked, the sender's
 * first.  BROKEN: a line that would say is malformed. */
MUST_CHECK enum mailpolicy_verdict mailpolicy_ask(const struct mailpolicy *p, struct span sender,
    struct span recipient);

/* A check (smtp/checks.h). */
MUST_CHECK enum reply mailpolicy_check(struct session *s, struct buf *recipient);

#endif
