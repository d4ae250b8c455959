/* route - what control/smtproutes says about a host (qmail-control(5)).
 *
 *	example.org:relay.example.net		its addresses, port 25
 *	.example.org:[2001:db8::1]:2525		brackets protect the colons of IPv6
 *	example.com:				an empty value: MX records as usual
 *	:relay					an empty key: everybody else */
#ifndef REMOTE_ROUTE_H
#define REMOTE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/set.h"
#include "lib/span.h"

#define SMTP_PORT 25

struct route {
	bool fixed;		/* connect to the addresses of `host`, MX records do not matter */
	struct span host;	/* name, address or literal in brackets; may be empty */
	uint16_t port;		/* 0: what stood there is no port */
};

/* Where mail for this host goes; without an entry to the host's own exchangers, port 25.
 * Borrows host and routes. */
struct route route_find(const struct set *routes, struct span host);

#endif
