/* conn - connecting to a TCP port by a deadline. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdint.h>

#include "lib/attr.h"
#include "net/ip.h"

/* A connected socket (blocking, close-on-exec), or -1 with errno (ETIMEDOUT after wait_ms).
 * from: local address to use, or NULL. */
MUST_CHECK int conn_open(const struct ip *to, uint16_t port, const struct ip *from,
    int64_t wait_ms);

#endif
