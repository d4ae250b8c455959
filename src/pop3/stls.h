/* stls - encryption of a POP3 session before the login (RFC 2595): when it is offered, and the
 * command.  Done by qmail-tls(8) or sslserver, see tls/ucspi.h. */
#ifndef POP3_STLS_H
#define POP3_STLS_H

#include <stdbool.h>

#include "lib/attr.h"
#include "pop3/popdialog.h"

struct stls {
	bool inside;		/* what is said is encrypted */
	bool asked, offered;
};

/* At the start of a session, {0} before; the environment counts. */
void stls_begin(struct stls *t);
bool stls_is_offered(struct stls *t);
/* UCSPITLS: may nobody log in without encryption? */
bool stls_is_missing(const struct stls *t);
enum stls_status {
	STLS_DONE,		/* what the client has said before must be forgotten */
	STLS_REFUSED,		/* and the client was told so */
	STLS_ENDS		/* the session is over */
};
/* The command, answer and handshake. */
MUST_CHECK enum stls_status stls_command(struct stls *t, struct popdialog *d);

#endif
