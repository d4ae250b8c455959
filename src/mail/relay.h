/* relay - which recipient domains are ours: control/rcpthosts and control/morercpthosts.cdb. */
#ifndef MAIL_RELAY_H
#define MAIL_RELAY_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/cdbmap.h"
#include "lib/ctlnames.h"
#include "lib/set.h"
#include "lib/span.h"

struct relay {
	bool restricted;	/* control/rcpthosts exists */
	struct set hosts;
	struct cdbmap *more;	/* or NULL */
	const char *unread;	/* of relay_open: the file that cannot be read */
};

enum relay_status { RELAY_REFUSED, RELAY_ALLOWED, RELAY_FAILED };

/* cwd = the home directory; names: NULL = both may be there.  -1 with errno and unread: a file
 * exists and cannot be opened or read; damage of the cdb shows in relay_check, so that the domains
 * of rcpthosts still work. */
MUST_CHECK int relay_open(struct relay *r, const struct ctlnames *names);
void relay_close(struct relay *r);
/* Addresses without @ are allowed; so is everything if rcpthosts is absent.  Domain and .suffixes,
 * first in rcpthosts, then in the cdb. */
MUST_CHECK enum relay_status relay_check(const struct relay *r, struct span address);

#endif
