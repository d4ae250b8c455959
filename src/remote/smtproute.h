/* smtproute - what control/smtproutes says about a host, or control/authsenders about a sender
 * (qmail-control(5)).
 *
 *	example.org:relay.example.net		its addresses, port 25
 *	.example.org:[2001:db8::1]:2525		brackets protect the colons of IPv6
 *	example.com:				an empty value: MX records as usual
 *	:relay					an empty key: everybody else
 *	:relay:587|user|pass word		a login; all behind the second bar is password
 *	:relay;465 user password		the same with blanks; `;` separates ports, too
 *	:relay -user password			`-`: the login may be sent in clear */
#ifndef REMOTE_SMTPROUTE_H
#define REMOTE_SMTPROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/set.h"
#include "lib/span.h"

#define SMTP_PORT 25
#define SMTPS_PORT 465			/* TLS before the greeting */
#define SMTPROUTE_LOGIN_MAX ((size_t)512)	/* bytes of a user, and of a password */

struct smtproute {
	bool fixed;		/* connect to the addresses of `host`, MX records do not matter */
	struct span host;	/* name, address or literal in brackets; may be empty */
	uint16_t port;		/* 0: what stood there is no port */
	struct span user, password;	/* both empty: no login */
	bool clear;		/* the login may be sent without TLS */
	bool bad_login;		/* over the limit, or too many words: not to be used */
};

/* Where mail of this sender for this host goes; without an entry to the host's own exchangers, port
 * 25.  An entry of senders counts more than one of routes, unless its value is empty.
 * Borrows host, routes, senders. */
struct smtproute smtproute_find(const struct set *routes, const struct set *senders,
    struct span host, struct span sender);
/* Does any entry have a login? */
bool smtproute_any_login(const struct set *entries);

#endif
