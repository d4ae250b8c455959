/* starttls - TLS for an SMTP client, done by qmail-tls(8), which is started when TLS begins.  What
 * parses certificates and holds keys is never in this process. */
#ifndef REMOTE_STARTTLS_H
#define REMOTE_STARTTLS_H

#include "lib/attr.h"
#include "remote/dialogue.h"

#define STARTTLS_PROGRAM "bin/qmail-tls"	/* below the home directory */

/* For the verdict, or as long as for a reply if that is less; qmail-tls gives up before. */
#define STARTTLS_WAIT_MS ((int64_t)40 * 1000)

enum starttls_need {
	STARTTLS_NEVER,
	STARTTLS_MAY,		/* where offered, with anybody; else, or if it fails, in clear */
	STARTTLS_MUST,
	STARTTLS_FIRST		/* before the greeting (port 465) */
};

/* Strings are borrowed; NULL: none. */
struct starttls_terms {
	enum starttls_need need;
	const char *name;		/* of the server: SNI, and to be compared */
	const char *authorities;	/* file; NULL: nobody is verified */
	const char *ciphers;
	const char *certificate;	/* ours, with its key */
	const char *reason;		/* why it must be: `control/tlshosts/NAME.pem exists` */
};

/* TLS at once, on the socket of d.  false: it failed, and d is settled: DIALOGUE_CLEAR if it need
 * not be, DIALOGUE_CLEAR_NOW if the server is not to blame for it, else DIALOGUE_NEXT.  The socket
 * must not be used any more, whatever is returned. */
MUST_CHECK bool starttls_upgrade(struct dialogue *d, const struct starttls_terms *t);

/* After EHLO.  STARTTLS if it is offered and allowed.  *encrypted: say EHLO again.  false: d is
 * settled, as above. */
MUST_CHECK bool starttls_negotiate(struct dialogue *d, const struct starttls_terms *t,
    bool offered, bool *encrypted);

/* The outcome of a session whose server went away because of TLS: before its reply to STARTTLS, or
 * before that to the second EHLO (where TLS 1.3 tells that our certificate is not welcome). */
enum dialogue_outcome starttls_failed(const struct starttls_terms *t);

#endif
