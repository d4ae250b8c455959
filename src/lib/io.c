/* io - buffered reading and writing on a descriptor, with limits and deadlines. */
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/num.h"

#define READ_ALL_STEP ((size_t)16384)
#define COPY_SIZE 16384

ssize_t
io_read(int fd, void *p, size_t n)
{
	ssize_t r;

	do
		r = read(fd, p, n);
	while (r == -1 && errno == EINTR);
	return r;
}

ssize_t
io_pread(int fd, void *p, size_t n, off_t at)
{
	ssize_t r;

	do
		r = pread(fd, p, n, at);
	while (r == -1 && errno == EINTR);
	return r;
}

ssize_t
io_write(int fd, const void *p, size_t n)
{
	ssize_t r;

	do
		r = write(fd, p, n);
	while (r == -1 && errno == EINTR);
	return r;
}

int
io_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t r = io_write(fd, at, n);

		if (r == -1)
			return -1;
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

/* Room for at most this many bytes; less towards the cap, 0 at the cap or without memory. */
static size_t
room_for_step(struct buf *to, size_t step, char **at)
{
	for (; step; step /= 2) {
		if ((*at = buf_room(to, step)))
			return step;
		if (!to->over)
			return 0;
		to->failed = to->over = false;
	}
	return 0;
}

/* How much a regular file still has, or all that it has if that is not above max; 0 = not known, as
 * for all that is found out by reading. */
static uint64_t
rest_of_file(int fd, size_t max)
{
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return 0;
	if ((uint64_t)st.st_size > max && (at = lseek(fd, 0, SEEK_CUR)) == -1)
		return 0;
	return st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
}

enum io_copied
io_copy(int from, int to)
{
	char chunk[COPY_SIZE];
	ssize_t n;

	while ((n = io_read(from, chunk, sizeof chunk)) > 0)
		if (io_write_all(to, chunk, (size_t)n) == -1)
			return IO_COPY_UNWRITTEN;
	return n == 0 ? IO_COPIED : IO_COPY_UNREAD;
}

enum io_status
io_read_all(int fd, struct buf *to)
{
	const size_t had = to->n, max = to->max ? to->max : BUF_MAX_DEFAULT;
	uint64_t rest;

	if (!buf_ok(to))
		return IO_TOOLONG;
	if ((rest = rest_of_file(fd, max - had)) > max - had) {	/* reading were for nothing */
		to->failed = to->over = true;
		return IO_TOOLONG;
	}
	for (;;) {
		char beyond, *at = &beyond;
		/* A small file takes little memory, which needs no call of its own. */
		size_t step = rest && rest < READ_ALL_STEP ? (size_t)rest + 1 : READ_ALL_STEP;
		size_t room = room_for_step(to, step, &at);
		ssize_t r;

		if (!buf_ok(to))
			return IO_TOOLONG;
		/* No room: is that all? */
		r = io_read(fd, room ? at : &beyond, room ? room : 1);
		if (r == -1)
			return IO_ERROR;
		if (r == 0)
			return IO_OK;
		if (!room) {
			to->failed = to->over = true;
			return IO_TOOLONG;
		}
		buf_added(to, (size_t)r);
		/* A file gives less than asked for only at its end. */
		if ((size_t)r < room && to->n - had == rest)
			return IO_OK;
	}
}

static enum io_status
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int r = poll(&p, 1, deadline_poll(deadline));

		if (r > 0)
			return IO_OK;
		if (r == 0 && deadline_poll(deadline) == 0)
			return IO_TIMEOUT;
		if (r == -1 && errno != EINTR)
			return IO_ERROR;
	}
}

enum io_status
io_wait_readable(int fd, int64_t deadline)
{
	return wait_for(fd, POLLIN, deadline);
}

enum io_status
io_wait_writable(int fd, int64_t deadline)
{
	return wait_for(fd, POLLOUT, deadline);
}

bool
io_reader_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

static bool
standard_are_open(void)
{
	int error = errno, fd = 0;

	while (fd <= 2 && fcntl(fd, F_GETFD) != -1)
		fd++;
	errno = error;
	return fd > 2;
}

int
io_open_standard(void)
{
	int fd;

	/* open(2) takes the lowest number, so one above 2 shows that all three are open.  Somebody
	 * else's sandbox may forbid it. */
	do
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			return standard_are_open() ? 0 : -1;
	while (fd <= 2);
	(void)close(fd);	/* gone, whatever it says */
	return 0;
}

bool
io_same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	    sa.st_ino == sb.st_ino;
}

int
io_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -1;
	return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == -1 ? -1 : 0;
}

/* The earlier of "timeout_ms from now" and the deadline of the whole exchange. */
static int64_t
next_deadline(int64_t timeout_ms, int64_t deadline)
{
	if (timeout_ms == DEADLINE_NONE)
		return deadline;
	return deadline_first(deadline_after(timeout_ms), deadline);
}

void
io_out_init(struct io_out *o, int fd, char *buf, size_t size)
{
	*o = (struct io_out){ .fd = fd, .buf = buf, .size = size,
		.timeout_ms = DEADLINE_NONE, .deadline = DEADLINE_NONE };
}

static void
out_fail(struct io_out *o, enum io_status status)
{
	o->status = status;
	o->error = status == IO_TIMEOUT ? ETIMEDOUT : errno;
}

/* One write that does not sleep in the kernel past `until`: write(2) of more than the peer has room
 * for would.  A socket is asked not to block; anything else is waited for, and then takes no more
 * than readiness promises. */
static ssize_t
write_until(struct io_out *o, const char *p, size_t n, int64_t until)
{
	enum io_status ready;
	ssize_t r;

	if (o->nonblocking || until == DEADLINE_NONE)
		return io_write(o->fd, p, n);
	if (!o->not_socket) {
		do
			r = send(o->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		while (r == -1 && errno == EINTR);
		if (r != -1 || errno != ENOTSOCK)
			return r;
		o->not_socket = true;
	}
	if ((ready = io_wait_writable(o->fd, until)) != IO_OK) {
		errno = ready == IO_TIMEOUT ? EAGAIN : errno;
		return -1;
	}
	return io_write(o->fd, p, n < PIPE_BUF ? n : PIPE_BUF);
}

static void
out_write(struct io_out *o, const char *p, size_t n)
{
	while (n && o->status == IO_OK) {
		int64_t until = next_deadline(o->timeout_ms, o->deadline);
		ssize_t r = write_until(o, p, n, until);
		enum io_status ready = IO_OK;

		if (r == -1)
			ready = errno == EAGAIN || errno == EWOULDBLOCK ?
			    io_wait_writable(o->fd, until) : IO_ERROR;
		if (ready != IO_OK) {
			out_fail(o, ready);
		} else if (r > 0) {
			p += r;
			n -= (size_t)r;
		}
	}
}

int
io_flush(struct io_out *o)
{
	out_write(o, o->buf, o->n);
	o->n = 0;
	if (o->status == IO_OK)
		return 0;
	errno = o->error;
	return -1;
}

void
io_put(struct io_out *o, const void *p, size_t n)
{
	if (n > o->size - o->n && io_flush(o) == -1)
		return;
	if (n >= o->size) {
		out_write(o, p, n);
	} else if (n) {
		memcpy(o->buf + o->n, p, n);
		o->n += n;
	}
}

void
io_puts(struct io_out *o, const char *s)
{
	io_put(o, s, strlen(s));
}

void
io_putc(struct io_out *o, char c)
{
	io_put(o, &c, 1);
}

void
io_putspan(struct io_out *o, struct span s)
{
	io_put(o, s.p, s.n);
}

void
io_putnum(struct io_out *o, uint64_t v)
{
	char text[NUM_U64_SIZE];

	io_put(o, text, num_format(text, v));
}

void
io_in_init(struct io_in *in, int fd, char *buf, size_t size)
{
	*in = (struct io_in){ .fd = fd, .buf = buf, .size = size,
		.timeout_ms = DEADLINE_NONE, .deadline = DEADLINE_NONE };
}

static ssize_t
read_some(struct io_in *in)
{
	ssize_t r;

	if (!in->line_wise)
		return io_read(in->fd, in->buf, in->size);
	do
		r = recv(in->fd, in->buf, in->size, MSG_PEEK);
	while (r == -1 && errno == EINTR);
	if (r == -1 && errno == ENOTSOCK)
		return io_read(in->fd, in->buf, 1);
	if (r <= 0)
		return r;
	return io_read(in->fd, in->buf, span_chr(span_of(in->buf, (size_t)r - 1), '\n') + 1);
}

enum io_status
io_fill(struct io_in *in)
{
	int64_t until;
	enum io_status ready;
	ssize_t r;

	if (in->pos < in->end)
		return IO_OK;
	if (in->tie && io_flush(in->tie) == -1)
		return in->tie->status;
	until = next_deadline(in->timeout_ms, in->deadline);
	for (;;) {
		if (until != DEADLINE_NONE && (ready = io_wait_readable(in->fd, until)) != IO_OK)
			return ready;
		r = read_some(in);
		if (r >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
			break;
		if ((ready = io_wait_readable(in->fd, until)) != IO_OK)
			return ready;
	}
	in->pos = 0;
	in->end = r > 0 ? (size_t)r : 0;
	return r > 0 ? IO_OK : r == 0 ? IO_EOF : IO_ERROR;
}

struct span
io_peek(const struct io_in *in)
{
	return span_of(in->buf + in->pos, in->end - in->pos);
}

void
io_skip(struct io_in *in, size_t n)
{
	size_t left = in->end - in->pos;

	in->pos += n < left ? n : left;
}

enum io_status
io_getc(struct io_in *in, char *c)
{
	enum io_status s = io_fill(in);

	if (s == IO_OK)
		*c = in->buf[in->pos++];
	return s;
}

enum io_status
io_get_until(struct io_in *in, char sep, struct buf *to)
{
	for (;;) {
		enum io_status s = io_fill(in);
		struct span have;
		size_t n;

		if (s != IO_OK)
			return s;
		have = io_peek(in);
		n = span_chr(have, sep);
		buf_add(to, have.p, n);
		io_skip(in, n + 1);	/* stops at the end when the separator is not there */
		if (n < have.n)
			return buf_ok(to) ? IO_OK : IO_TOOLONG;
	}
}
