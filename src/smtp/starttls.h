/* starttls - encryption of an SMTP session (RFC 3207): when it is offered, the command, the switch
 * SMTPS, and what a certificate of the client is good for.  Done by qmail-tls(8) or sslserver, see
 * tls/ucspi.h.
 *
 * s->tls is true in a session that is encrypted, also by what stands in front of it. */
#ifndef SMTP_STARTTLS_H
#define SMTP_STARTTLS_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "smtp/reply.h"

struct session;

/* Part of a session; {0} at its start. */
struct starttls {
	bool asked, offered;	/* offered is known once asked */
	struct buf details;	/* of the TLS process, tls/ucspi.h */
	struct buf cert;	/* mail address of the client's certificate, if it relays by that */
};

/* At the start of a session: is it encrypted already, by this process's environment?  With SMTPS
 * (not empty) it is made so before the greeting.  false: it cannot be; say nothing and end. */
MUST_CHECK bool starttls_begin(struct session *s);
/* Shall EHLO list it?  The answer stays the same until there is encryption. */
bool starttls_is_offered(struct session *s);
/* The command.  REPLY_WRITTEN: everything that was known about the client is forgotten. */
MUST_CHECK enum reply starttls_command(struct session *s, struct span arg);
/* MAIL: must the client encrypt first?  REPLY_OK if not. */
MUST_CHECK enum reply starttls_required(struct session *s);
/* This recipient would be refused for want of rights to relay: has the client a certificate that
 * gives them?  REPLY_OK: it has, for the rest of the session; REPLY_NOT_OURS: there are no such
 * certificates here; REPLY_WRITTEN_ERROR: it has none that counts, and was told so. */
MUST_CHECK enum reply starttls_relays(struct session *s);
/* What the server calls itself in this session. */
struct span starttls_greeting(const struct session *s);
/* The word after `with` in Received: `SMTP`, `ESMTP`, `ESMTPS (TLS_AES_256_GCM_SHA384 encrypted)`,
 * and with A after AUTH (RFC 3848). */
void starttls_put_protocol(const struct session *s, struct buf *word);
void starttls_free(struct starttls *t);

#endif
