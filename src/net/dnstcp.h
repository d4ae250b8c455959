/* dnstcp - one question to one name server by TCP (RFC 1035, 4.2.2).  libresolv could ask as well,
 * but would wait without end for a server that takes the connection and says nothing. */
#ifndef NET_DNSTCP_H
#define NET_DNSTCP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/attr.h"

/* The length of the answer, whatever it holds, or -1: not connected, ended early, longer than size,
 * or not there after wait_ms. */
MUST_CHECK int dnstcp_ask(const struct sockaddr *server, socklen_t server_size,
    const void *question, size_t n, unsigned char *answer, size_t size, int64_t wait_ms);

#endif
