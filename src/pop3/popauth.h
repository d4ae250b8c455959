/* popauth - which ways to log in qmail-popup offers, the dialogue of AUTH PLAIN (RFC 5034), and the
 * log of refusals. */
#ifndef POP3_POPAUTH_H
#define POP3_POPAUTH_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/checker.h"
#include "lib/span.h"
#include "pop3/popdialog.h"

struct popauth {
	bool password;		/* USER and PASS, AUTH PLAIN */
	bool log;		/* QMAILPOPUP_LOG has the word auth */
};

void popauth_read(struct popauth *a);

/* AUTH with its argument: asks for what is missing.  true: *login has user and secret, which borrow
 * from *text; free that with buf_wipe.  false: the client was told what is wrong, or is
 * gone. */
MUST_CHECK bool popauth_plain(struct popdialog *d, struct span arg, struct buf *text,
    struct checker_login *login);

/* `qmail-popup[4711]: login failed [192.0.2.1] -` on descriptor 2, unless that is the client. */
void popauth_log(const struct popauth *a);

#endif
