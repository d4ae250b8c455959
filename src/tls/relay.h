/* relay - qmail-tls as the TLS side of a server: for one that has begun in the clear, or around a
 * program that knows nothing of it. */
#ifndef TLS_RELAY_H
#define TLS_RELAY_H

#include <stdbool.h>

#include "lib/attr.h"

struct relay_how {
	int certificate;	/* descriptor of the file; -1: control/servercert.pem */
	bool environment;	/* the program gets SSL_PROTOCOL and so on */
};

/* qmail-tls -u: descriptors of tls/ucspi.h, network on 0 and 1.  Returns an exit code when the
 * connection has ended. */
MUST_CHECK int relay_begun(void);
/* qmail-tls -s: network on 0 and 1.  The relay becomes a process of its own; this one gives up its
 * power and becomes the program, once there is encryption.  Returns an exit code: in the relay
 * when the connection has ended, here when nothing came of it. */
MUST_CHECK int relay_program(char *const argv[], const struct relay_how *how);
/* qmail-tls -t: could a server begin?  Says what is wrong. */
MUST_CHECK int relay_test(const struct relay_how *how);

#endif
