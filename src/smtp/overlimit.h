/* overlimit - how many recipients a user or client may have in a day, and how many it has had.
 *
 * control/relaylimits, the first line for a user or client counts, in lower or upper case:
 *	joe@a.example:500	a user, by the name of AUTH
 *	192.0.2.7:100		a client that has not authenticated; an IPv6 address is its /64
 *	:default:200		all others that may relay; also `:200`
 * 0 is no limit.
 *
 * DIRECTORY/20778 has the counts of that day since 1970: OVERLIMIT_KEY random bytes, then a table
 * of slots, each a hash of the name by that key, and the count, 8 bytes in the machine's order.  It
 * is sparse and cannot grow beyond its slots, and is locked while one question is answered.
 * Nothing is synced: a power cut may forget counts.  Whoever begins a day removes the files of
 * others; those of the days beside it stay, for clocks that do not agree at midnight. */
#ifndef SMTP_OVERLIMIT_H
#define SMTP_OVERLIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/siphash.h"
#include "lib/span.h"
#include "net/ip.h"

#define OVERLIMIT_KEY ((size_t)SIPHASH_KEY)
#define OVERLIMIT_NAMES_MAX ((uint64_t)1 << 20)	/* users and clients of a day */
#define OVERLIMIT_PROBES ((uint64_t)64)		/* slots that may have one of them */
#define OVERLIMIT_USER_MAX ((size_t)512)	/* bytes of a user's name */
#define OVERLIMIT_LOCK_MS 5000			/* waiting for others */

struct overlimit_client {
	struct span user;	/* empty: not authenticated, then: */
	struct ip ip;		/* family IP_NONE: not known */
	bool relays;		/* may send anywhere */
};

enum overlimit_rule { OVERLIMIT_UNLIMITED, OVERLIMIT_LIMITED, OVERLIMIT_MALFORMED };
/* text: of the file, as ctl_text has it.  *line: number of the line that counts, 0 for none.
 * *limit is set if LIMITED.  MALFORMED: no number in that line. */
MUST_CHECK enum overlimit_rule overlimit_find(const struct buf *text,
    const struct overlimit_client *c, uint64_t *limit, size_t *line);

enum overlimit_status {
	OVERLIMIT_COUNTED,	/* one more */
	OVERLIMIT_REACHED,	/* there were so many already */
	OVERLIMIT_FULL,		/* too many others have been counted today */
	OVERLIMIT_FAILED	/* errno; EPERM: everybody may write to the directory */
};
/* now: seconds since 1970. */
MUST_CHECK enum overlimit_status overlimit_count(const char *directory,
    const struct overlimit_client *c, uint64_t limit, int64_t now);

#endif
