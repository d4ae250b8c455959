/* controls - the control files of qmail-send and qmail-todo (qmail-control(5)). */
#ifndef SEND_CONTROLS_H
#define SEND_CONTROLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/set.h"
#include "mail/route.h"
#include "send/activity.h"

#define CONTROLS_LIFETIME_S 604800	/* queuelifetime without a file */
#define CONTROLS_LIFETIME_MAX_S (INT64_MAX / 4)

struct controls {
	struct buf me;
	bool me_set;
	struct buf envnoathost, bouncefrom, bouncehost, doublebounceto, doublebouncehost;
	uint64_t lifetime_s;
	uint64_t bouncemaxbytes;	/* of a message in its bounce; UINT64_MAX: all */
	uint64_t concurrency[CHANNELS];	/* wanted; at most SPAWN_SLOTS */
	uint64_t hostshare;		/* percent of the remote ones that one host may hold */
	struct routes routes;	/* locals, percenthack, virtualdomains */
};

/* Reads all of them; cwd = the home directory.  -1: one cannot be read, or there is neither locals
 * nor me. */
MUST_CHECK int controls_read(struct controls *c);
/* HUP: locals and virtualdomains anew; if one of them cannot be read, says so and keeps both old
 * ones.  Goes to the home directory and back to the queue, a descriptor of which is queue_fd. */
void controls_reread(struct controls *c, int queue_fd, struct activity *log);
void controls_free(struct controls *c);

#endif
