/* packet - sockets that keep packets apart. */
#include "lib/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/num.h"

#define OWN_FILE "/proc/self/exe"

int
packet_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

bool
packet_is_socket(int fd)
{
	int type;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* ---- greeting ---- */

/* Its length; 0: too long. */
static size_t
make_greeting(char text[PACKET_GREETING_MAX], const char *what, const struct filemark *program)
{
	size_t n = strlen(what);

	if (n + 2 * (NUM_U64_SIZE + 1) > PACKET_GREETING_MAX)
		return 0;
	memcpy(text, what, n);
	text[n++] = ' ';
	n += num_format(text + n, (uint64_t)program->dev);
	text[n++] = ' ';
	return n + num_format(text + n, (uint64_t)program->ino);
}

int
packet_greet(int fd, const char *what)
{
	char text[PACKET_GREETING_MAX];
	struct filemark own;
	size_t n;

	filemark_take(&own, OWN_FILE);
	if (!own.exists)
		return -1;
	n = make_greeting(text, what, &own);
	return n && io_write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

bool
packet_is_greeting(struct span packet, const char *what, const struct filemark *program)
{
	char text[PACKET_GREETING_MAX];
	size_t n = make_greeting(text, what, program);

	return n && span_eq(packet, span_of(text, n));
}

/* ---- with descriptors ---- */

/* Aligned as the system wants it. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
};

int
packet_send(int fd, struct span packet, const int *fds, size_t n)
{
	/* Not changed; iovec has no other form. */
	struct iovec bytes = { .iov_base = (void *)(uintptr_t)packet.p, .iov_len = packet.n };
	union control control = { .space = { 0 } };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = (socklen_t)CMSG_SPACE(n * sizeof *fds) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	ssize_t r;

	if (n > PACKET_FDS_MAX || !c) {
		errno = EINVAL;
		return -1;
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = (socklen_t)CMSG_LEN(n * sizeof *fds);
	memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
	do
		r = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (r == -1 && errno == EINTR);
	return r == -1 ? -1 : 0;
}

/* Copies the descriptors that have come, in the only header there can be; how many. */
static size_t
take_fds(struct msghdr *message, int fds[PACKET_FDS_MAX])
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	size_t bytes;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	bytes = c->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(c), bytes);
	return bytes / sizeof *fds;
}

ssize_t
packet_receive(int fd, char *packet, size_t size, int *fds, size_t n)
{
	struct iovec bytes = { .iov_base = packet, .iov_len = size };
	union control control = { .space = { 0 } };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = sizeof control.space };
	int got[PACKET_FDS_MAX];
	size_t n_got;
	ssize_t r;

	do
		r = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (r == -1 && errno == EINTR);
	if (r <= 0)
		return r;
	n_got = take_fds(&message, got);
	if (n_got == n && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		memcpy(fds, got, n * sizeof *fds);
		return r;
	}
	while (n_got > 0)
		(void)close(got[--n_got]);
	errno = message.msg_flags & MSG_TRUNC ? EMSGSIZE : EPROTO;
	return -1;
}
