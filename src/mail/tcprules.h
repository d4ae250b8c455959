/* tcprules - the rules of tcpserver(1), as tcprules(1) has compiled them.
 *
 * Keys: `user@192.0.2.1`, `user@=host.example`, `192.0.2.1`, `=host.example`, `192.0.2.`, `192.0.`,
 * `192.`, `=.host.example`, `=.example`, `=`, ``, in this order; for IPv6 `2001:db8:` and so on.
 * Data: `D` (deny), `+NAME=value` NUL. */
#ifndef MAIL_TCPRULES_H
#define MAIL_TCPRULES_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

/* Unknown host or user: p NULL. */
struct tcprules_client {
	struct span ip, host, user;
};

enum tcprules_status {
	TCPRULES_FOUND,		/* *data */
	TCPRULES_ABSENT,	/* no rule for this client: it may connect */
	TCPRULES_FAILED		/* errno, or damaged */
};

MUST_CHECK enum tcprules_status tcprules_find(const char *path, const struct tcprules_client *who,
    struct buf *data);
bool tcprules_denies(struct span data);
/* The next `NAME=value` of the data; start with *pos = 0.  false at the end. */
bool tcprules_next(struct span data, size_t *pos, struct span *assignment);

#endif
