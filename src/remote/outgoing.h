/* outgoing - the way of one message to another host: where to go, whom to try, what to say. */
#ifndef REMOTE_OUTGOING_H
#define REMOTE_OUTGOING_H

#include <stddef.h>

#include "lib/buf.h"
#include "lib/span.h"
#include "net/dns.h"
#include "remote/message.h"
#include "remote/reuse.h"
#include "remote/smtproute.h"
#include "remote/settings.h"

#define OUTGOING_SESSIONS_MAX 5		/* servers talked to */
#define OUTGOING_CONNECTS_MAX 50	/* addresses tried */
#define OUTGOING_CONNECT_MS ((int64_t)600 * 1000)	/* lookups and connects, at least; or ... */
#define OUTGOING_CONNECT_FACTOR 10	/* ... this many times timeoutconnect */

struct outgoing {
	struct span sender;		/* as the queue has it */
	char *const *recipients;	/* the same; n of them, then NULL */
	size_t n;
	const struct settings *settings;
	struct smtproute route;		/* for this sender and its host */
	struct dns *dns;
	struct message *message;
	struct reuse *reuse;		/* of deliveries one after the other, or NULL */
};

/* Appends the address as it stands between < and > in a command.  Without an @ it stays as it is.
 * false: holds a byte that has no place there. */
MUST_CHECK bool outgoing_address(struct buf *to, struct span address);

/* Delivers, and replaces *report by the whole report.  cwd = the home directory (for tcpto). */
void outgoing_run(const struct outgoing *d, struct buf *report);

#endif
