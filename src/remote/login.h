/* login - the client side of AUTH (RFC 4954): CRAM-MD5 (RFC 2195), PLAIN (RFC 4616), LOGIN. */
#ifndef REMOTE_LOGIN_H
#define REMOTE_LOGIN_H

#include "lib/attr.h"
#include "lib/span.h"
#include "remote/dialogue.h"

#define LOGIN_AUTH_MAX ((size_t)500)	/* bytes of AUTH= in MAIL (RFC 4954, 3) */

struct login {
	struct span user, password;	/* user empty: no login */
};

/* Logs in by a method of the server.  false: it did not work, and d is settled: for now, because
 * the operator must mend it and the message cannot help it.
 * The password goes nowhere but to the server. */
MUST_CHECK bool login_perform(struct dialogue *d, const struct login *login,
    enum smtpreply_auth method);

/* Puts ` AUTH=user` of MAIL, in xtext (RFC 3461, 4); nothing if that were too long. */
void login_put_parameter(struct dialogue *d, const struct login *login);

#endif
