/* dnstcp - one question to one name server by TCP. */
#include "net/dnstcp.h"

#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "net/conn.h"

#define LENGTH 2		/* bytes of it, before each message */
#define REQUEST_SIZE 512

static int
say(int fd, const void *question, size_t n, int64_t deadline)
{
	char buffer[REQUEST_SIZE];
	struct io_out out;

	io_out_init(&out, fd, buffer, sizeof buffer);
	out.deadline = deadline;
	io_putc(&out, (char)(n >> 8));
	io_putc(&out, (char)(n & 0xff));
	io_put(&out, question, n);
	return io_flush(&out);
}

static int
hear(int fd, unsigned char *p, size_t n, int64_t deadline)
{
	while (n) {
		ssize_t got;

		if (io_wait_readable(fd, deadline) != IO_OK || (got = io_read(fd, p, n)) <= 0)
			return -1;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int
exchange(int fd, const void *question, size_t n, unsigned char *answer, size_t size,
    int64_t deadline)
{
	unsigned char head[LENGTH];
	size_t length;

	if (say(fd, question, n, deadline) == -1 || hear(fd, head, LENGTH, deadline) == -1)
		return -1;
	length = ((size_t)head[0] << 8) | head[1];
	return length <= size && hear(fd, answer, length, deadline) == 0 ? (int)length : -1;
}

int
dnstcp_ask(const struct sockaddr *server, socklen_t server_size, const void *question, size_t n,
    unsigned char *answer, size_t size, int64_t wait_ms)
{
	int64_t deadline = deadline_after(wait_ms);
	int fd = conn_open_sockaddr(server, server_size, wait_ms);
	int length;

	if (fd == -1)
		return -1;
	length = exchange(fd, question, n, answer, size, deadline);
	(void)close(fd);
	return length;
}
