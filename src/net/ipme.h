/* ipme - is an address this host?  Those of its interfaces (net/ip.h), and networks that an
 * administrator adds or takes away, lines of
 *	control/moreipme	192.0.2.9	an address that is translated to ours
 *	control/notipme		192.0.2.0/255.255.255.0 or 2001:db8::/32
 *
 * Of what fits an address the longest network decides; if the longest of both kinds are equal, it
 * is not this host.  An address counts as a network of one, also that of an interface. */
#ifndef NET_IPME_H
#define NET_IPME_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "net/ip.h"

struct ipme_net {
	struct ip ip;
	unsigned bits;		/* that count, of 32 or 128 */
	bool is_me;
};

/* {0} is a host without an address. */
struct ipme {
	struct ip_list own;
	struct ipme_net *nets;
	size_t n, size;
	const char *unread;	/* of ipme_read: the file that cannot be read */
};

enum ipme_status {
	IPME_OK,
	IPME_SYSTEM,		/* errno: the addresses of interfaces cannot be found out */
	IPME_CONTROLS		/* errno, unread: a file cannot be read */
};

/* All of it; cwd = the home directory, *me {0}; names: NULL = both files may be there. */
MUST_CHECK enum ipme_status ipme_read(struct ipme *me, const struct ctlnames *names);
/* Parts of that: interfaces; and the lines of one file, list form (lib/ctl.h).  Lines that are no
 * network are passed over.  -1 with errno. */
MUST_CHECK int ipme_own(struct ipme *me);
MUST_CHECK int ipme_add(struct ipme *me, const struct buf *list, bool is_me);
bool ipme_has(const struct ipme *me, const struct ip *ip);
/* Is it, by notipme, another host?  And does notipme say so of any address? */
bool ipme_excludes(const struct ipme *me, const struct ip *ip);
bool ipme_has_exceptions(const struct ipme *me);
void ipme_free(struct ipme *me);

/* `192.0.2.0/24`, `192.0.2.0/255.255.255.0`, `2001:db8::/32`, an address.  false: it is none, has a
 * mask with holes, or is of IPv4-mapped addresses, which count as IPv4. */
MUST_CHECK bool ipme_parse_net(struct span text, struct ipme_net *net);

#endif
