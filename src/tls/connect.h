/* connect - qmail-tls as the TLS side of a client: qmail-tls -c.  tls/verdict.h has descriptors and
 * arguments. */
#ifndef TLS_CONNECT_H
#define TLS_CONNECT_H

#include "lib/attr.h"

struct connect_how {
	const char *host;
	const char *authorities, *ciphers, *key;	/* NULL: not given */
};

/* Returns an exit code when the connection has ended, or nothing came of it. */
MUST_CHECK int connect_run(const struct connect_how *how);

#endif
