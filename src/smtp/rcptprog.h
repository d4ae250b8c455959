/* rcptprog - RCPTCHECK: a program that says whether a recipient exists.
 *
 * It finds SENDER, RECIPIENT, HELO, USE_FD4=1 and RCPTHOSTS=1 in its environment, may write the
 * reply (`553 no such list`) to descriptor 4, and exits
 *
 *	100	no: 550, or its reply
 *	111	cannot tell: 421, the connection ends
 *	113	the sender has sent too much: 421, the connection ends
 *	120	cannot work: 421, the connection ends; as a crash or RCPTPROG_WAIT_MS without an end
 *	else	yes */
#ifndef SMTP_RCPTPROG_H
#define SMTP_RCPTPROG_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "smtp/reply.h"

#define RCPTPROG_WAIT_MS (INT64_C(60) * 1000)
#define RCPTPROG_REPLY_MAX ((size_t)1021)

struct session;

/* A check (smtp/checks.h). */
MUST_CHECK enum reply rcptprog_ask(struct session *s, struct buf *recipient);

#endif
