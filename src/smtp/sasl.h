/* sasl - the mechanisms of AUTH: PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC 2195), from the client's
 * first word to a login that a checker can decide about. */
#ifndef SMTP_SASL_H
#define SMTP_SASL_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/checker.h"
#include "lib/span.h"
#include "smtp/reply.h"
#include "smtp/session.h"

#define SASL_LINE_MAX ((size_t)12288)	/* an answer with its CRLF (RFC 4954, 4.2) */

/* { .s = session } to begin with.  Buffers never grow, which would leave copies behind. */
struct sasl {
	struct session *s;
	const char *method;		/* `plain`, `login`, `cram-md5` */
	struct buf line;		/* the client's answer */
	struct buf name, text;		/* decoded */
	struct checker_login login;	/* borrows from both */
};

/* arg: the mechanism and perhaps an initial response.  REPLY_OK: the login is complete, no field
 * that the client wrote is empty or holds a NUL; it may be too long for a checker.
 * REPLY_AUTH_FAILED: somebody wants to be somebody else. */
MUST_CHECK enum reply sasl_run(struct sasl *x, struct span arg);
/* Wipes what was read, in every place where it is.  What the client sent ahead stays. */
void sasl_wipe(struct sasl *x);

#endif
