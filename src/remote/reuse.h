/* reuse - the connection that qmail-remote keeps for its next message (control/remotereuse).
 *
 * It is kept after a message that the server took, for another one that would go the same way, and
 * only while it is new enough that neither DNS nor policy can have changed by much.  What a server
 * says over a kept connection may be meant for the connection: until it lets a text begin, all that
 * it refuses is asked once more over a new one.  A message goes over one connection at a time, so
 * none is sent twice by this. */
#ifndef REMOTE_REUSE_H
#define REMOTE_REUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/span.h"
#include "remote/smtpclient.h"

#define REUSE_MAX ((uint64_t)100)		/* messages over one connection */
#define REUSE_AGE_MS ((int64_t)300 * 1000)	/* of one that may carry another */

/* {0} keeps nothing. */
struct reuse {
	uint64_t most;			/* messages over one connection */
	uint64_t sent;
	int64_t until;
	struct buf place;		/* where it leads, see reuse_find */
	struct smtplink link;
};

/* The connection for a message; its other end is `ip`.  One that was kept is closed before. */
struct smtplink *reuse_new(struct reuse *r, int fd, const char *ip);
/* The kept one, if it leads to that place and can be used, or NULL.  place: all that makes a
 * difference for which server is found and how it is talked to, in any form. */
struct smtplink *reuse_find(struct reuse *r, struct span place);
/* Closes it, if there is one. */
void reuse_drop(struct reuse *r);
/* After each message: keeps the connection, or closes it. */
void reuse_keep(struct reuse *r, struct span place);
void reuse_end(struct reuse *r);

#endif
