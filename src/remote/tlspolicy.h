/* tlspolicy - whether a server must, may or must not be talked to with TLS, and as whom it must
 * show itself: files of control/tlshosts and control/notlshosts (qmail-control(5)), port 465, a
 * login. */
#ifndef REMOTE_TLSPOLICY_H
#define REMOTE_TLSPOLICY_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"
#include "remote/smtproute.h"
#include "remote/settings.h"
#include "remote/starttls.h"

/* Authorities that a server is verified against before a login, if it has no file of its own. */
#define TLSPOLICY_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define TLSPOLICY_NOTE_S ((int64_t)86400)	/* how long a failure of TLS is remembered */

struct tlspolicy {
	struct starttls_terms terms;	/* points into the rest, and into the settings */
	struct buf name;		/* of the server, without the dot at its end */
	struct buf authorities, reason;
};

/* For the server of this name (as DNS or the operator gave it) and address.  p must be {0} or have
 * been used before.  cwd = the home directory.  false: out of memory. */
MUST_CHECK bool tlspolicy_find(struct tlspolicy *p, const struct settings *s, struct span name,
    const struct ip *ip, const struct smtproute *route);
void tlspolicy_free(struct tlspolicy *p);

/* TLS was offered and did not work: with control/notlshosts_auto it is not tried for a day. */
void tlspolicy_note(const struct tlspolicy *p, const struct settings *s);

#endif
