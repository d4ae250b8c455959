/* hosts - how many places of the remote channel each host holds, and the recipients that were put
 * aside because theirs held enough.
 *
 * A host is a domain, whatever its case.  It may take another place while
 *
 *	held * (100 - share) < free * share
 *
 * With a share of 90 a host that never answers ends with 90 % of the places, two of them with 48 %
 * each, three with 33 %: what is left is for the others, and a host alone still has nearly all.
 *
 * Who is put aside waits in the line of his host, in memory.  Of the hosts that wait, the one that
 * holds least is next; all costs O(log n) of the hosts that hold or wait, whatever is queued. */
#ifndef SEND_HOSTS_H
#define SEND_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/heap.h"
#include "lib/siphash.h"
#include "lib/span.h"

#define HOSTS_SHARE 90		/* percent, without control/hostshare */
#define HOSTS_ASIDE 10000	/* recipients put aside */
#define HOSTS_ASIDE_BYTES ((size_t)8 << 20)	/* of their addresses and their senders */

struct job;

struct aside {
	struct aside *next;	/* in the line of its host */
	struct host *host;
	struct job *job;
	off_t at;		/* of the record in the channel file */
	struct buf recipient;
	size_t cost;		/* of HOSTS_ASIDE_BYTES */
};

struct host {
	uint64_t key;
	struct host *next;	/* in its bucket, or unused */
	size_t held;		/* deliveries under way */
	struct aside *first, *last;
};

/* {0}: everybody may take what is free.  All fields are private. */
struct hosts {
	unsigned share;		/* percent; 0: no limit, nothing is remembered */
	struct host *all;
	size_t n, fresh;	/* all[fresh] and above were never used */
	struct host *unused;	/* of those below */
	struct host **buckets;	/* n of them */
	struct heap waiting;	/* hosts with a line: index in all, by what they hold */
	size_t aside, bytes;
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
 * -1: no memory. */
MUST_CHECK int hosts_put_aside(struct hosts *h, struct job *job, off_t at, struct span recipient,
    size_t sender_bytes);
/* Who may take one of `free` places first; NULL: nobody. */
struct aside *hosts_next(const struct hosts *h, size_t free);
/* He waits no more. */
void hosts_drop(struct hosts *h, struct aside *a);

#endif
