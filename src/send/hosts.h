/* hosts - how many places of the remote channel each host holds, and the recipients that were put
 * aside because theirs held enough.
 *
 * A host is a domain, whatever its case.  One that holds none may take any free place.  One that
 * holds some may take another while
 *
 *	held * (100 - share) < free * share
 *
 * and half of what `share` leaves of all places is free, or held by hosts that hold one.  With 100
 * places and a share of 90 a host that never answers ends with 90, two of them with 48 and 47,
 * three with 32 or 31, and 5 are free: nearly all for a host alone, and room for the others.
 *
 * Who is put aside waits in the line of his host, in memory.  Of the hosts that wait, the one that
 * holds least is next, and of equals the one that took a place longest ago; recipients of one
 * message that follow each other in the line of a host may go together, as its batch
 * (control/remotebatch).  All costs O(log n) of the hosts that hold or wait, whatever is queued. */
#ifndef SEND_HOSTS_H
#define SEND_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/heap.h"
#include "lib/siphash.h"
#include "lib/span.h"

#define HOSTS_SHARE 90		/* percent, without control/hostshare */
#define HOSTS_ASIDE 10000	/* recipients put aside */
#define HOSTS_ASIDE_BYTES ((size_t)4 << 20)	/* of memory for them, their senders among it */
#define HOSTS_RUN 50		/* of one message to one host, one after the other */

struct job;

struct aside {
	struct aside *next, *before;	/* in the line of its host */
	struct aside *sibling;	/* another one of the job; the caller's */
	struct host *host;
	struct job *job;
	off_t at;		/* of the record in the channel file */
	size_t cost;		/* of HOSTS_ASIDE_BYTES */
	size_t n;
	char recipient[];
};

struct host {
	uint64_t key;
	struct host *next;	/* in its bucket, or unused */
	size_t held;		/* deliveries under way */
	uint32_t turn;		/* when it took its last place */
	struct aside *first, *last;
};

/* {0}: everybody may take what is free.  All fields are private. */
struct hosts {
	unsigned share;		/* percent; 0: no limit, nothing is remembered */
	size_t used;		/* places held by all of them */
	size_t singles;		/* hosts that hold one */
	uint32_t turn;
	struct host *all;
	size_t n, fresh;	/* all[fresh] and above were never used */
	struct host *unused;	/* of those below */
	struct host **buckets;	/* n of them */
	struct heap waiting;	/* hosts with a line: index in all, by what they hold */
	size_t aside, bytes;
	struct host *run;	/* whose line was served last, */
	const struct job *run_job;	/* for this one, */
	unsigned run_n;		/* so many times */
	unsigned char secret[SIPHASH_KEY];	/* so that nobody can choose domains that collide */
};

/* places: of the channel; share: percent; 100 and more: no limit.  -1: no memory. */
MUST_CHECK int hosts_init(struct hosts *h, size_t places, uint64_t share);
void hosts_free(struct hosts *h);

/* May this recipient take one of `free` places, free > 0, before those who wait? */
bool hosts_admits(const struct hosts *h, struct span recipient, size_t free);
/* Its host holds one more.  NULL: nothing to give back. */
struct host *hosts_take(struct hosts *h, struct span recipient);
void hosts_give_back(struct hosts *h, struct host *host);

/* No more can be put aside. */
bool hosts_full(const struct hosts *h);
/* The last in the line of its host; not if hosts_full.  sender_bytes: what `job` keeps for it.
 * NULL: no memory. */
struct aside *hosts_put_aside(struct hosts *h, struct job *job, off_t at, struct span recipient,
    size_t sender_bytes);
/* Who may take one of `free` places first; NULL: nobody. */
struct aside *hosts_next(const struct hosts *h, size_t free);
struct span hosts_recipient(const struct aside *a);
/* He begins: his host holds one more by then, and he waits no more. */
void hosts_begun(struct hosts *h, struct aside *a);
/* He waits no more, wherever he is in the line. */
void hosts_drop(struct hosts *h, struct aside *a);

#endif
