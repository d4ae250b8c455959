/* proxyhead - what a load balancer says about its client before the client's first byte (HAProxy's
 * "The PROXY protocol", versions 1 and 2).
 *
 *	PROXY TCP4 192.0.2.7 192.0.2.1 51234 25 CR LF
 *	\r\n\r\n\0\r\nQUIT\n \x21 \x11 \0\x0c  source, destination, ports: 4 4 2 2 bytes */
#ifndef TOOLS_PROXYHEAD_H
#define TOOLS_PROXYHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "net/ip.h"

#define PROXYHEAD_LINE_MAX ((size_t)107)	/* version 1, with CR LF */
#define PROXYHEAD_MAX ((size_t)4096)	/* version 2, with what nobody asked for */

struct proxyhead {
	bool known;		/* else the balancer speaks for itself, or does not know */
	struct ip from, to;
	uint16_t from_port, to_port;
};

/* How many bytes may be asked for in one read, after those that are there, without taking one of
 * the client's; 0: it is complete.  -1: this is no header. */
MUST_CHECK int proxyhead_wants(struct span head);
/* head: a complete one.  false: malformed. */
MUST_CHECK bool proxyhead_parse(struct span head, struct proxyhead *p);

#endif
