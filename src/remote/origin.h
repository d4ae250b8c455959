/* origin - as whom mail of a sender leaves: from which addresses of this host, with which name in
 * EHLO (control/outgoingip, control/domainips; qmail-control(5)).
 *
 *	outgoingip	192.0.2.1		for everybody; one IPv4 and one IPv6 address
 *			2001:db8::1
 *			example.org:192.0.2.2	for senders of this domain
 *	domainips	example.org:192.0.2.2|mail.example.org
 *			*:192.0.2.1%eth0|mx.example.net		the interface means nothing here */
#ifndef REMOTE_ORIGIN_H
#define REMOTE_ORIGIN_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"

struct origin {
	struct ip v4, v6;		/* IP_NONE: any address */
	struct span helo;		/* one word of printable bytes; empty: as always */
};

/* Both take the text of a file in list form (lib/ctl.h), change *o where it is about this sender,
 * and let later lines win; domainips, asked after outgoingip, counts more.  *o begins as {0}.
 * false: a line for this sender, or for all, makes no sense. */
MUST_CHECK bool origin_outgoingip(struct origin *o, const struct buf *text, struct span sender);
/* Borrows text. */
MUST_CHECK bool origin_domainips(struct origin *o, const struct buf *text, struct span sender);

/* The one to use for a connection to this address, or NULL. */
const struct ip *origin_for(const struct origin *o, const struct ip *to);

#endif
