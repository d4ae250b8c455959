/* backlog - preloaded into OpenSMTPD, whose queue of new connections is five long, built in:
 * clients that come together would wait a second and more for their second SYN. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int
listen(int fd, int backlog)
{
	(void)backlog;
	return (int)syscall(SYS_listen, fd, 1024);
}
