/* helocheck - is what a client calls itself a name of the name system?  (The plug-in helodnscheck.)
 *
 * HELO_DNS_CHECK holds letters, in any order; NOHELODNSCHECK turns it off; empty it is `GNLR`.
 *
 *	G  the syntax of a host name or address	A  it has an address
 *	N  it is not this host nor localhost	B  one of its addresses is the client's
 *	L  a line in the log for each refusal	H  a field X-Helo-Check in messages
 *	P  nobody is refused			R  clients that may relay are not checked
 *
 * Where no answer comes nobody is refused (RFC 5321, 4.1.4: strictly, nobody ever should be). */
#ifndef SMTP_HELOCHECK_H
#define SMTP_HELOCHECK_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "queue/incoming.h"
#include "smtp/reply.h"

struct session;

/* A check (smtp/checks.h). */
MUST_CHECK enum reply helocheck_run(struct session *s, struct buf *helo);
/* At DATA, behind our Received. */
void helocheck_put_field(const struct session *s, struct incoming *in);

#endif
