/* owner - which account of the host controls a local address, when users/cdb does not say. */
#ifndef USERS_OWNER_H
#define USERS_OWNER_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "lib/uids.h"

#define OWNER_LOOKUPS 32		/* accounts looked up for one address, at most */
#define OWNER_NAME_MAX ((size_t)255)	/* no account has a longer name */

/* The prefixes of the address that may be an account's name: their lengths, longest first.  The
 * whole address, then what stands before a break character; never empty, at most OWNER_NAME_MAX.
 * Of too many the shortest are taken: account names are short.  Returns how many. */
size_t owner_candidates(struct span local, size_t lengths[OWNER_LOOKUPS]);

enum owner_status {
	OWNER_USER,		/* *a; the first *n bytes of the address are the name */
	OWNER_NONE,
	OWNER_HOME,		/* a home directory cannot be looked at just now; errno */
	OWNER_FAILED,		/* the accounts cannot be read just now */
	OWNER_MEMORY
};

/* The first candidate that is an account, not root's, and owns its home directory. */
MUST_CHECK enum owner_status owner_find(struct span local, struct account *a, size_t *n);

#endif
