/* rig_conn - in place of net/conn.c: the connection that a target has prepared. */
#include <errno.h>

#include "net/conn.h"
#include "rig.h"

static int next = -1;

void
rig_connect(int fd)
{
	next = fd;
}

int
conn_open(const struct ip *to, uint16_t port, const struct ip *from, int64_t wait_ms)
{
	int fd = next;

	(void)to;
	(void)port;
	(void)from;
	(void)wait_ms;
	next = -1;
	if (fd == -1)
		errno = ECONNREFUSED;
	return fd;
}

/* That of a name server, of which there is none. */
int
conn_open_sockaddr(const struct sockaddr *to, socklen_t size, int64_t wait_ms)
{
	(void)to;
	(void)size;
	(void)wait_ms;
	errno = ECONNREFUSED;
	return -1;
}

int
conn_local(int fd, struct ip *ip, uint16_t *port)
{
	(void)fd;
	*ip = (struct ip){ .family = IP_V4 };
	*port = 0;
	return 0;
}

int
conn_remote(int fd, struct ip *ip, uint16_t *port)
{
	return conn_local(fd, ip, port);
}

bool
conn_out_of_resources(int error)
{
	return error == EMFILE;
}
