/* delivery - the way of one message to another host: where to go, whom to try, what to say. */
#ifndef REMOTE_DELIVERY_H
#define REMOTE_DELIVERY_H

#include <stddef.h>

#include "lib/buf.h"
#include "lib/span.h"
#include "net/dns.h"
#include "remote/message.h"
#include "remote/settings.h"

#define DELIVERY_SESSIONS_MAX 5		/* servers talked to */
#define DELIVERY_CONNECTS_MAX 50	/* addresses tried */
#define DELIVERY_CONNECT_MS ((int64_t)600 * 1000)	/* for all of them, at least; or ... */
#define DELIVERY_CONNECT_FACTOR 10	/* ... this many times timeoutconnect */

struct delivery {
	struct span host;
	struct span sender;		/* as the queue has it */
	char *const *recipients;	/* the same; n of them, then NULL */
	size_t n;
	const struct settings *settings;
	struct dns *dns;
	struct message *message;
};

/* Appends the address as it stands between < and > in a command.  Without an @ it stays as it is.
 * false: holds a byte that has no place there. */
MUST_CHECK bool delivery_address(struct buf *to, struct span address);

/* Delivers, and replaces *report by the whole report.  cwd = the home directory (for tcpto). */
void delivery_run(const struct delivery *d, struct buf *report);

#endif
