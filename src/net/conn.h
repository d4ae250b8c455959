/* conn - connecting to a TCP port by a deadline. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/attr.h"
#include "net/ip.h"

/* A connected socket, or -1 with errno (ETIMEDOUT after wait_ms).  It is close-on-exec and does not
 * block (lib/io waits by its deadlines), and sends at once what it is given (TCP_NODELAY: our
 * writes are batched already).  from: local address to use, any port, or NULL. */
MUST_CHECK int conn_open(const struct ip *to, uint16_t port, const struct ip *from,
    int64_t wait_ms);
/* The same to an address as the system keeps it, with a port and perhaps a scope. */
MUST_CHECK int conn_open_sockaddr(const struct sockaddr *to, socklen_t size, int64_t wait_ms);
/* Addresses and ports of a connected socket; an IPv4-mapped address is given as IPv4.  -1 with
 * errno (also if it is no socket of IP). */
MUST_CHECK int conn_local(int fd, struct ip *ip, uint16_t *port);
MUST_CHECK int conn_remote(int fd, struct ip *ip, uint16_t *port);
/* Did conn_open fail for a lack on this host, whatever the address? */
bool conn_out_of_resources(int error);

#endif
