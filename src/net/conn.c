/* conn - connecting to a TCP port by a deadline. */
#include "net/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
pack(union address *a, const struct ip *ip, uint16_t port)
{
	memset(a, 0, sizeof *a);
	if (ip->family == IP_V4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		memcpy(&a->v4.sin_addr, ip->bytes, sizeof a->v4.sin_addr);
		return sizeof a->v4;
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	memcpy(&a->v6.sin6_addr, ip->bytes, sizeof a->v6.sin6_addr);
	return sizeof a->v6;
}

static int
unpack(const union address *a, struct ip *ip, uint16_t *port)
{
	*ip = (struct ip){ 0 };
	switch (a->any.sa_family) {
	case AF_INET:
		ip->family = IP_V4;
		memcpy(ip->bytes, &a->v4.sin_addr, sizeof a->v4.sin_addr);
		*port = ntohs(a->v4.sin_port);
		return 0;
	case AF_INET6:
		ip->family = IP_V6;
		memcpy(ip->bytes, &a->v6.sin6_addr, sizeof a->v6.sin6_addr);
		if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
			*ip = (struct ip){ .family = IP_V4 };
			memcpy(ip->bytes, &a->v6.sin6_addr.s6_addr[12], 4);
		}
		*port = ntohs(a->v6.sin6_port);
		return 0;
	default:
		errno = EAFNOSUPPORT;
		return -1;
	}
}

/* Waits for the connect(2) under way.  -1 with errno. */
static int
finish(int fd, int64_t wait_ms)
{
	int error = 0;
	socklen_t n = sizeof error;

	switch (io_wait_writable(fd, deadline_after(wait_ms))) {
	case IO_OK:
		break;
	case IO_TIMEOUT:
		errno = ETIMEDOUT;
		return -1;
	default:
		return -1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == -1)
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static int
bind_to(int fd, const struct ip *from)
{
	union address a;
	socklen_t n = pack(&a, from, 0);

	return bind(fd, &a.any, n);
}

static int
open_and_connect(const struct sockaddr *to, socklen_t size, const struct ip *from, int64_t wait_ms)
{
	const int on = 1;
	int error, fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    IPPROTO_TCP);

	if (fd == -1)
		return -1;
	if ((!from || bind_to(fd, from) == 0) && (connect(fd, to, size) == 0 ||
	    ((errno == EINPROGRESS || errno == EINTR) && finish(fd, wait_ms) == 0))) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		return fd;
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

int
conn_open_sockaddr(const struct sockaddr *to, socklen_t size, int64_t wait_ms)
{
	return open_and_connect(to, size, NULL, wait_ms);
}

int
conn_open(const struct ip *to, uint16_t port, const struct ip *from, int64_t wait_ms)
{
	union address a;
	socklen_t n = pack(&a, to, port);

	return open_and_connect(&a.any, n, from && from->family == to->family ? from : NULL,
	    wait_ms);
}

int
conn_local(int fd, struct ip *ip, uint16_t *port)
{
	union address a = { 0 };
	socklen_t n = sizeof a;

	return getsockname(fd, &a.any, &n) == -1 ? -1 : unpack(&a, ip, port);
}

int
conn_remote(int fd, struct ip *ip, uint16_t *port)
{
	union address a = { 0 };
	socklen_t n = sizeof a;

	return getpeername(fd, &a.any, &n) == -1 ? -1 : unpack(&a, ip, port);
}

bool
conn_out_of_resources(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}
