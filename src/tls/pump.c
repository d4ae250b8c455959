/* pump - one TLS connection: handshake, then bytes both ways. */
#include "tls/pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "lib/deadline.h"
#include "lib/io.h"

int
pump_init(struct pump *p, SSL *ssl, int net_in, int net_out)
{
	memset(p, 0, sizeof *p);
	p->ssl = ssl;
	p->net_in = net_in;
	p->net_out = net_out;
	p->plain_in = p->plain_out = -1;
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_set_read_ahead(ssl, 1);
	if (io_nonblock(net_in, true) == -1 || io_nonblock(net_out, true) == -1)
		return -1;
	if (SSL_set_rfd(ssl, net_in) != 1 || SSL_set_wfd(ssl, net_out) != 1) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* ---- handshake ---- */

void
pump_reason(struct buf *reason)
{
	unsigned long code = ERR_peek_error();
	const char *words = code ? ERR_reason_error_string(code) : NULL;

	if (!words && code && ERR_SYSTEM_ERROR(code))
		words = strerror((int)ERR_GET_REASON(code));
	buf_adds(reason, words ? words : "unknown error");
	ERR_clear_error();
}

/* Not 1 from a call into the library: POLLIN or POLLOUT if it only has to wait, else 0. */
static short
wanted(SSL *ssl, int r)
{
	switch (SSL_get_error(ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

int
pump_handshake(struct pump *p, int64_t deadline, struct buf *reason)
{
	for (;;) {
		enum io_status status;
		short want;
		int r, error;

		ERR_clear_error();
		errno = 0;
		if ((r = SSL_do_handshake(p->ssl)) == 1)
			return 0;
		error = errno;
		if (!(want = wanted(p->ssl, r))) {
			if (ERR_peek_error())
				pump_reason(reason);
			else
				buf_adds(reason, error ? strerror(error) : "connection closed");
			return -1;
		}
		status = want == POLLIN ? io_wait_readable(p->net_in, deadline) :
		    io_wait_writable(p->net_out, deadline);
		if (status != IO_OK) {
			buf_adds(reason, status == IO_TIMEOUT ? "handshake timed out" :
			    strerror(errno));
			return -1;
		}
	}
}

/* ---- both ways ---- */

static void
end_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

/* Nothing more can be sent.  A server may have said why before it closed: what has come, here or
 * in the kernel, is still read and passed on. */
static void
stop_sending(struct pump *p)
{
	p->dead = p->may_read = true;
	p->write_wants_read = p->read_wants_write = false;
	p->out.at = p->out.end = 0;
	end_fd(&p->plain_in);
	ERR_clear_error();
}

/* The connection is of no use any more.  What is here is still passed on. */
static void
break_off(struct pump *p)
{
	stop_sending(p);
	p->net_ended = true;
}

static bool
is_empty(const struct pump_half *h)
{
	return h->at == h->end;
}

/* Network to room.  true: something happened. */
static bool
net_read(struct pump *p)
{
	short want;
	int r;

	if (p->net_ended || !is_empty(&p->in) ||
	    !(p->read_wants_write ? p->may_write : p->may_read))
		return false;
	p->read_wants_write = false;
	ERR_clear_error();
	r = SSL_read(p->ssl, p->in.room, (int)sizeof p->in.room);
	if (r > 0) {
		p->in.at = 0;
		p->in.end = p->plain_out == -1 ? 0 : (size_t)r;
		p->may_read = SSL_has_pending(p->ssl) == 1;
		return true;
	}
	if ((want = wanted(p->ssl, r)) == POLLOUT) {
		p->read_wants_write = true;
		p->may_write = false;
	} else if (want) {
		p->may_read = false;
	} else if (SSL_get_shutdown(p->ssl) & SSL_RECEIVED_SHUTDOWN) {
		p->net_ended = true;
	} else {
		break_off(p);
	}
	return !want;
}

/* Room to network; with nothing left to come, close_notify. */
static bool
net_write(struct pump *p)
{
	short want;
	int r;

	if (p->dead || p->said_all || (is_empty(&p->out) && p->plain_in != -1) ||
	    !(p->write_wants_read ? p->may_read : p->may_write))
		return false;
	p->write_wants_read = false;
	ERR_clear_error();
	if (is_empty(&p->out)) {
		if ((r = SSL_shutdown(p->ssl)) >= 0) {
			p->said_all = true;
			if (shutdown(p->net_out, SHUT_WR) == -1 && p->net_out != p->net_in)
				(void)close(p->net_out);
			return true;
		}
	} else if ((r = SSL_write(p->ssl, p->out.room + p->out.at,
	    (int)(p->out.end - p->out.at))) > 0) {
		p->out.at += (size_t)r;
		return true;
	}
	want = wanted(p->ssl, r);
	if (want == POLLIN) {
		p->write_wants_read = true;
		p->may_read = false;
	} else if (want) {
		p->may_write = false;
	} else {
		stop_sending(p);
	}
	return !want;
}

static bool
plain_read(struct pump *p)
{
	ssize_t r;

	if (p->plain_in == -1 || !is_empty(&p->out) || !p->may_take)
		return false;
	r = io_read(p->plain_in, p->out.room, sizeof p->out.room);
	if (r == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		p->may_take = false;
		return false;
	}
	if (r <= 0) {
		end_fd(&p->plain_in);
		return true;
	}
	p->out.at = 0;
	p->out.end = (size_t)r;
	p->may_take = (size_t)r == sizeof p->out.room;
	return true;
}

static bool
plain_write(struct pump *p)
{
	ssize_t r;

	if (p->plain_out == -1)
		return false;
	if (is_empty(&p->in)) {
		if (p->net_ended)
			end_fd(&p->plain_out);
		return p->net_ended;
	}
	if (!p->may_give)
		return false;
	r = io_write(p->plain_out, p->in.room + p->in.at, p->in.end - p->in.at);
	if (r == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		p->may_give = false;
		return false;
	}
	if (r == -1) {		/* nobody reads it: what comes is thrown away */
		p->in.at = p->in.end = 0;
		end_fd(&p->plain_out);
		return true;
	}
	p->in.at += (size_t)r;
	return true;
}

static struct pollfd
poll_for(int fd, short events)
{
	/* A descriptor nobody waits for is left out, lest a hang-up makes the loop spin. */
	return (struct pollfd){ .fd = events ? fd : -1, .events = events };
}

/* false: nothing happened in time. */
static bool
wait_for_more(struct pump *p, int64_t deadline)
{
	const bool wants_read = !p->net_ended && is_empty(&p->in) && !p->read_wants_write;
	const bool wants_write = !p->dead && !p->said_all &&
	    (!is_empty(&p->out) || p->plain_in == -1) && !p->write_wants_read;
	const short reading = wants_read || p->write_wants_read ? POLLIN : 0,
	    writing = wants_write || p->read_wants_write ? POLLOUT : 0;
	struct pollfd fds[4] = {
		poll_for(p->net_in, reading), poll_for(p->net_out, writing),
		/* these two also without events: to learn that the program is gone */
		{ .fd = is_empty(&p->out) || !p->writer_gone ? p->plain_in : -1,
		    .events = is_empty(&p->out) ? POLLIN : 0 },
		{ .fd = p->plain_out, .events = is_empty(&p->in) ? 0 : POLLOUT },
	};
	int r;

	do
		r = poll(fds, 4, deadline_poll(deadline));
	while (r == -1 && errno == EINTR);
	if (r <= 0)
		return false;
	p->may_read |= fds[0].revents != 0;
	p->may_write |= fds[1].revents != 0;
	p->may_take |= fds[2].revents != 0;
	p->may_give |= (fds[3].revents & POLLOUT) != 0;
	p->writer_gone |= (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
	if ((fds[3].revents & (POLLERR | POLLHUP | POLLNVAL)) && p->plain_out != -1) {
		p->in.at = p->in.end = 0;
		end_fd(&p->plain_out);
	}
	return true;
}

static bool
move(struct pump *p)
{
	bool moved = net_read(p);

	moved |= plain_write(p);
	moved |= plain_read(p);
	moved |= net_write(p);
	return moved;
}

/* Everything that had to be said was said, and nobody listens any more. */
static bool
is_over(const struct pump *p)
{
	return (p->dead || p->said_all) && p->plain_out == -1;
}

/* A socket closed with something unread in it resets the connection, and the last reply may be lost
 * on its way; so the peer closes first, if it does so soon. */
static void
linger(struct pump *p)
{
	const int64_t deadline = deadline_after(PUMP_LINGER_MS);

	while (!p->dead && deadline_now() < deadline &&
	    io_wait_readable(p->net_in, deadline) == IO_OK &&
	    io_read(p->net_in, p->in.room, sizeof p->in.room) > 0)
		;
}

/* The program is gone: from then on the time is limited, whatever moves. */
static void
limit_time(const struct pump *p, int64_t *last)
{
	const bool writer_gone = p->plain_in == -1 || p->writer_gone;

	if (*last == DEADLINE_NONE && writer_gone && p->plain_out == -1)
		*last = deadline_after(PUMP_LAST_MS);
}

void
pump_run(struct pump *p, int plain_in, int plain_out, int64_t idle_ms)
{
	int64_t last = DEADLINE_NONE;
	bool alive;

	p->plain_in = plain_in;
	p->plain_out = plain_out;
	p->may_read = p->may_write = p->may_give = true;
	alive = io_nonblock(plain_in, true) == 0 && io_nonblock(plain_out, true) == 0;
	while (alive && !is_over(p) && (last == DEADLINE_NONE || deadline_now() < last)) {
		if (!move(p))
			alive = wait_for_more(p, deadline_first(deadline_after(idle_ms), last));
		limit_time(p, &last);
	}
	end_fd(&p->plain_in);
	end_fd(&p->plain_out);
	if (alive && !p->net_ended)
		linger(p);
}
