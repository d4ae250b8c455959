/* greylist - a client, sender and recipient not seen before have to come again after a while.
 *
 * $GREYLIST: not set: off.  Else `WAIT:RETRY:KNOWN`, seconds, each of which may be left out (300,
 * 14400, 3110400): a first attempt has to wait WAIT, counts for RETRY, and after a delivery the
 * three are known for KNOWN.  The client is its /24, or /64.
 * $GREYLIST_SPAMDYKE: a directory that spamdyke has filled; what is old enough there is known here.
 *
 * State is in greylist/ (smtp/greystore.h).  If it cannot be used, or is full for today, mail is
 * accepted, as it is if today's log cannot be read; if another file in it cannot, what that knows
 * has to wait again.  A line in the log names the file, and tells what follows from it. */
#ifndef SMTP_GREYLIST_H
#define SMTP_GREYLIST_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"
#include "smtp/greystore.h"
#include "smtp/reply.h"

#define GREYLIST_DIRECTORY "greylist"	/* in the home directory */
#define GREYLIST_WAIT_S 300
#define GREYLIST_RETRY_S 14400
#define GREYLIST_KNOWN_MAX_S ((uint64_t)400 * 86400)

struct session;

/* text: of $GREYLIST. */
struct greystore_times greylist_times(struct span text);
/* What is remembered of the three. */
void greylist_key(const struct ip *ip, struct span sender, struct span recipient,
    unsigned char key[GREYSTORE_KEY]);
/* The file that spamdyke makes for the two, below its directory:
 * `RCPT-DOMAIN/RCPT/SENDER-DOMAIN/SENDER@SENDER-DOMAIN`.  false: there can be none. */
MUST_CHECK bool greylist_spamdyke_path(struct span sender, struct span recipient,
    struct buf *path);

/* A check (smtp/checks.h). */
MUST_CHECK enum reply greylist_check(struct session *s, struct buf *recipient);

#endif
