/* climit - how many connections an address has, counted by locks.
 *
 * DIRECTORY/locks holds CLIMIT_KEY bytes, made when the file is, and never grows: a connection is
 * an fcntl(2) lock on one byte far behind its end, of the process that will serve it.  Which byte
 * says whose connection it is: kind, address, number.  The kernel takes the lock away when that
 * process ends, however it does, so there is nothing to clean up, and nothing can be counted twice.
 *
 *	bits 60-61 kind, 16-59 IPv4 address or network, or bit 59 and a hash of IPv6, 0-15 number */
#ifndef TOOLS_CLIMIT_H
#define TOOLS_CLIMIT_H

#include <stdint.h>

#include "lib/attr.h"
#include "net/ip.h"

#define CLIMIT_KEY ((size_t)16)
#define CLIMIT_CONNECTIONS_MAX 65535U	/* the largest limit */

enum climit_kind {
	CLIMIT_ADDRESS,		/* IPv6: its /64 */
	CLIMIT_NETWORK		/* /24; IPv6: /48 */
};

struct climit {
	int fd;			/* stays open across exec: closing it gives the locks away */
	unsigned char key[CLIMIT_KEY];	/* so that nobody can choose networks that collide */
};

/* -1 with errno. */
MUST_CHECK int climit_open(struct climit *c, const char *directory);

enum climit_status { CLIMIT_TAKEN, CLIMIT_FULL, CLIMIT_FAILED /* errno */ };
/* One of `limit` places for this address, until our process ends. */
MUST_CHECK enum climit_status climit_take(const struct climit *c, enum climit_kind kind,
    const struct ip *ip, unsigned limit);
/* Where the lock of the first place lies; the others follow.  For tests. */
int64_t climit_place(const struct climit *c, enum climit_kind kind, const struct ip *ip);

#endif
