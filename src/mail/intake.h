/* intake - what mail from the network a server takes, as control files and its environment say. */
#ifndef MAIL_INTAKE_H
#define MAIL_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/set.h"
#include "lib/span.h"
#include "mail/relay.h"
#include "mail/trace.h"

struct intake {
	struct relay relay;		/* rcpthosts, morercpthosts.cdb */
	struct set bad_senders;		/* badmailfrom, for those that have no smtp/lists.h */
	uint64_t size_limit;		/* DATABYTES, else databytes; 0 = none */
	const char *relay_client;	/* RELAYCLIENT; NULL = not set */
	struct trace_hop peer;		/* the TCP environment */
	const char *unread;		/* the control file that cannot be read */
};

/* cwd = the home directory; names: NULL = all files may be there.  in must be {0}.  -1 with
 * errno and unread: a control file cannot be used; do not serve then.  Borrows from the
 * environment. */
MUST_CHECK int intake_read(struct intake *in, const struct ctlnames *names);
/* size_limit once more.  -1 with errno: databytes cannot be read. */
MUST_CHECK int intake_read_size(struct intake *in, const struct ctlnames *names);
/* badmailfrom, every line of it an address.  -1: it cannot be read. */
MUST_CHECK int intake_read_senders(struct intake *in);
void intake_free(struct intake *in);

/* Is the address, or `@` and its domain, in badmailfrom?  The empty sender never is. */
bool intake_is_bad_sender(const struct intake *in, struct span sender);
/* May this client send there?  RELAYCLIENT, rcpthosts. */
MUST_CHECK enum relay_status intake_recipient(const struct intake *in, struct span recipient);

/* Is everything relayed for everybody, and fd 2 a place to say so?  (Under inetd it is the client.)
 * Then a server writes its name and the warning there, once. */
bool intake_warns(const struct intake *in);
#define INTAKE_WARNING ": warning: control/rcpthosts does not exist, " \
	"mail for every domain is accepted\n"

#endif
