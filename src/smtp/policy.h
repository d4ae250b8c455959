/* policy - who may send what to whom. */
#ifndef SMTP_POLICY_H
#define SMTP_POLICY_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "smtp/reply.h"
#include "smtp/session.h"

/* The check (smtp/checks.h) of rcpthosts.  A morercpthosts.cdb that cannot be read is in the log
 * and ends the connection, except for clients that may relay: nothing depends on it then. */
MUST_CHECK enum reply policy_relay(struct session *s, struct buf *recipient);
/* `u@[192.0.2.1]`, if that is us and localiphost is known, becomes `u@LOCALIPHOST`. */
MUST_CHECK enum reply policy_replace_local_ip(struct session *s, struct buf *address);

#endif
