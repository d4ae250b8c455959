/* client - what several checks ask about the other end: its address, its name, whether the
 * administrator vouches for it. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"

#define CLIENT_WHITELIST "whitelist"	/* directory in the home directory */

struct session;

/* {0}: nobody has asked yet. */
struct client {
	enum client_white { CLIENT_UNASKED, CLIENT_STRANGE, CLIENT_WHITE, CLIENT_DOUBTFUL } white;
	bool name_known;
	enum client_name { CLIENT_NAMELESS, CLIENT_NAMED, CLIENT_UNSURE } naming;
	struct buf name;
};

/* $TCPREMOTEIP; false: it is none. */
MUST_CHECK bool client_ip(const struct session *s, struct ip *ip);
/* Is there a file whitelist/ADDRESS?  CLIENT_DOUBTFUL: that cannot be seen, as the log tells; the
 * answer to it is REPLY_CONTROLS. */
MUST_CHECK enum client_white client_white(struct session *s);
/* $TCPREMOTEHOST, or, where tcpserver was told not to look for it, what the name system says.
 * CLIENT_NAMED: s->client.name, in lower case.  CLIENT_UNSURE: nobody knows just now. */
MUST_CHECK enum client_name client_name(struct session *s);
void client_free(struct client *c);

#endif
