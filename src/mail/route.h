/* route - which channel a recipient takes and how it is written from then on; how it was written
 * before, for bounces; the sender it is delivered for (qmail-send(8)).  Bytes in, bytes out. */
#ifndef MAIL_ROUTE_H
#define MAIL_ROUTE_H

#include "lib/buf.h"
#include "lib/set.h"
#include "lib/span.h"

enum channel { CHANNEL_LOCAL, CHANNEL_REMOTE, CHANNELS };

struct routes {
	struct span envnoathost;	/* host of addresses without one; borrowed */
	struct set locals, percenthack;
	struct set virtualdomains;	/* user@domain, domain, .suffix or empty -> prepend */
};

/* Appends the recipient as the queue keeps it.  `Info@virt.example` with virt.example:vd is
 * CHANNEL_LOCAL and `vd-Info@virt.example`.  Look at buf_ok(to) afterwards. */
enum channel route_recipient(const struct routes *r, struct span recipient, struct buf *to);
/* The recipient without what a virtual domain put before it: `Info@virt.example` again. */
struct span route_original(const struct routes *r, struct span recipient);
/* Appends the envelope sender for one recipient: `list-@x.example-@[]` for `a@far.example` is
 * `list-a=far.example@x.example`; senders of other form stay as they are. */
void route_sender(struct span sender, struct span recipient, struct buf *to);
/* The sender that bounces go to: without `-@[]` at its end. */
struct span route_bounce_to(struct span sender);

#endif
