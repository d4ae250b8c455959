/* auth - the command AUTH (RFC 4954), decided by a password checker (lib/checker.h).
 * Who has said the right password may send anywhere, and is what Received calls the client. */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "smtp/reply.h"
#include "smtp/session.h"

/* Limits, all of them in qmail-limits(7). */
#define AUTH_LOGIN_MAX ((size_t)512)	/* what a checker is given */
#define AUTH_FAILURES_MAX 3U		/* refused, or the checker hung or crashed */

/* Says on fd 2, once, why there is no AUTH although it was asked for. */
void auth_explain(const struct authconf *conf);
/* The lines `250-AUTH ...` of EHLO; none if it would be refused now. */
void auth_put_lines(struct session *s);
/* Is it part of this service, so that MAIL has its parameter AUTH? */
bool auth_is_known(const struct session *s);
/* Does MAIL have to be refused until the client authenticates? */
bool auth_is_missing(const struct session *s);
/* arg: all bytes behind the verb. */
MUST_CHECK enum reply auth_command(struct session *s, struct span arg);
/* The client becomes what it was before AUTH, as after STARTTLS (RFC 3207, 4.2).  -1: out of
 * memory, or a control file cannot be read; do not go on. */
MUST_CHECK int auth_forget(struct session *s);

#endif
