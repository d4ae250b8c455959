/* pump - one TLS connection: handshake, then bytes both ways.
 * The library meets the network only in memory; reading and sending is done here.  Asked for a new
 * key while a write of its own is blocked, it gives the connection up; and it answers such requests
 * in one call for as long as there is something to read, so what it may read in one is limited. */
#include "tls/pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/span.h"

int
pump_init(struct pump *p, SSL *ssl, int net_in, int net_out)
{
	memset(p, 0, sizeof *p);
	p->ssl = ssl;
	p->net_in = net_in;
	p->net_out = net_out;
	p->plain_in = p->plain_out = -1;
	SSL_set_read_ahead(ssl, 1);
	(void)SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	if (io_nonblock(net_in, true) == -1 || io_nonblock(net_out, true) == -1)
		return -1;
	p->intake = BIO_new(BIO_s_mem());
	p->wire = BIO_new(BIO_s_mem());
	if (!p->intake || !p->wire) {
		BIO_free(p->intake);
		BIO_free(p->wire);
		errno = ENOMEM;
		return -1;
	}
	SSL_set_bio(ssl, p->intake, p->wire);
	return 0;
}

/* ---- the wire ---- */

/* What is still to be sent. */
static struct span
on_wire(const struct pump *p)
{
	char *at = NULL;
	long n = BIO_get_mem_data(p->wire, &at);

	return span_of(at, n > 0 ? (size_t)n : 0);
}

static void
empty_wire(struct pump *p)
{
	(void)BIO_reset(p->wire);
}

/* So much of it is sent.  Its memory is free at once: of a peer that always leaves something
 * untaken, all that was ever sent would be kept. */
static void
take_off_wire(struct pump *p, size_t n)
{
	char sent[4096];
	int r = 1;

	for (; n && r > 0; n -= r > 0 ? (size_t)r : 0)
		r = BIO_read(p->wire, sent, (int)(n < sizeof sent ? n : sizeof sent));
}

/* As write(2), as much as there is room for. */
static ssize_t
send_some(struct pump *p)
{
	const struct span left = on_wire(p);
	ssize_t r = io_write(p->net_out, left.p, left.n);

	if (r > 0)
		take_off_wire(p, (size_t)r);
	return r;
}

/* As read(2), a roomful at most; once the library has taken all that was there, and the room of
 * what comes in is empty. */
static ssize_t
take_in(struct pump *p)
{
	ssize_t r = io_read(p->net_in, p->in.room, sizeof p->in.room);

	if (r == 0)
		(void)BIO_set_mem_eof_return(p->intake, 0);
	if (r > 0 && BIO_write(p->intake, p->in.room, (int)r) != (int)r) {
		errno = ENOMEM;
		return -1;
	}
	return r;
}

static bool
is_blocked(ssize_t r)
{
	return r == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* All of it. */
static enum io_status
send_all(struct pump *p, int64_t deadline)
{
	enum io_status status = IO_OK;

	while (status == IO_OK && on_wire(p).n) {
		ssize_t r = send_some(p);

		if (is_blocked(r))
			status = io_wait_writable(p->net_out, deadline);
		else if (r == -1)
			status = IO_ERROR;
	}
	return status;
}

/* The next of what comes. */
static enum io_status
await_some(struct pump *p, int64_t deadline)
{
	enum io_status status = io_wait_readable(p->net_in, deadline);

	if (status == IO_OK) {
		ssize_t r = take_in(p);

		if (r == -1 && !is_blocked(r))
			status = IO_ERROR;
	}
	return status;
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

/* Not 1 from a call into the library: has it only to wait for more? */
static bool
wants_more(SSL *ssl, int r)
{
	return SSL_get_error(ssl, r) == SSL_ERROR_WANT_READ;
}

/* A client may be gone before it has taken its ticket (TLS 1.3). */
static bool
may_be_gone(const struct pump *p)
{
	return SSL_is_server(p->ssl) && SSL_version(p->ssl) == TLS1_3_VERSION;
}

static int
fail(struct buf *reason, const char *why)
{
	buf_adds(reason, why);
	return -1;
}

int
pump_handshake(struct pump *p, int64_t deadline, struct buf *reason)
{
	for (;;) {
		enum io_status status;
		int r, error;

		ERR_clear_error();
		errno = 0;
		r = SSL_do_handshake(p->ssl);
		error = errno;
		if (r != 1 && !wants_more(p->ssl, r)) {
			if (ERR_peek_error())
				pump_reason(reason);
			else
				buf_adds(reason, error ? strerror(error) : "connection closed");
			if (on_wire(p).n)
				(void)send_some(p);	/* an alert */
			return -1;
		}
		status = send_all(p, deadline);
		if (r == 1 && (status == IO_OK || (status == IO_ERROR && may_be_gone(p))))
			return 0;
		if (status == IO_OK)
			status = await_some(p, deadline);
		if (status != IO_OK)
			return fail(reason, status == IO_TIMEOUT ? "handshake timed out" :
			    strerror(errno));
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
	empty_wire(p);
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

/* Is there a reason to read from the network?  The library answers some of what it reads, so who
 * takes no answers is not listened to either. */
static bool
may_listen(const struct pump *p)
{
	return !p->net_ended && is_empty(&p->in) && on_wire(p).n < PUMP_WIRE_MAX;
}

/* Network to memory.  true: something happened.  Once, and then the others are looked after: a peer
 * that never pauses is no reason not to see that the program is gone. */
static bool
net_read(struct pump *p)
{
	ssize_t r;

	if (!p->may_read || p->may_decrypt || !may_listen(p))
		return false;
	p->may_read = false;
	r = take_in(p);
	if (is_blocked(r))
		return false;
	if (r == -1)
		break_off(p);
	else
		p->may_decrypt = true;
	return true;
}

/* The library has read and has no bytes for us. */
static bool
end_decrypting(struct pump *p, int r)
{
	if (wants_more(p->ssl, r)) {
		/* It also says so between two messages of its own. */
		p->may_decrypt = BIO_pending(p->intake) > 0;
		return p->may_decrypt;
	}
	if (SSL_get_shutdown(p->ssl) & SSL_RECEIVED_SHUTDOWN) {
		p->net_ended = true;
	} else {
		if (on_wire(p).n)
			(void)send_some(p);	/* an alert */
		break_off(p);
	}
	return true;
}

/* Memory to room. */
static bool
decrypt(struct pump *p)
{
	int r;

	if (!p->may_decrypt || !may_listen(p))
		return false;
	ERR_clear_error();
	r = SSL_read(p->ssl, p->in.room, (int)sizeof p->in.room);
	if (p->dead)
		empty_wire(p);	/* nobody takes its answers */
	if (r <= 0)
		return end_decrypting(p, r);
	p->in.at = 0;
	p->in.end = p->plain_out == -1 ? 0 : (size_t)r;
	return true;
}

/* Room to the wire, when all before it is sent; with nothing left to come, close_notify. */
static bool
encrypt(struct pump *p)
{
	int r;

	if (p->dead || p->said_all || on_wire(p).n || (is_empty(&p->out) && p->plain_in != -1))
		return false;
	if (SSL_in_init(p->ssl) && !p->net_ended)	/* it has half a message of its own */
		return false;
	ERR_clear_error();
	if (is_empty(&p->out)) {
		r = SSL_shutdown(p->ssl) < 0 ? -1 : 1;
		p->said_all = r == 1;
	} else {
		r = SSL_write(p->ssl, p->out.room + p->out.at, (int)(p->out.end - p->out.at));
		p->out.at += r > 0 ? (size_t)r : 0;
	}
	if (r <= 0)
		stop_sending(p);
	return true;
}

static bool
net_write(struct pump *p)
{
	ssize_t r;

	if (p->dead || !p->may_write || !on_wire(p).n)
		return false;
	r = send_some(p);
	if (is_blocked(r)) {
		p->may_write = false;
		return false;
	}
	if (r == -1)
		stop_sending(p);
	else if (p->said_all && !on_wire(p).n && shutdown(p->net_out, SHUT_WR) == -1 &&
	    p->net_out != p->net_in)
		(void)close(p->net_out);
	return true;
}

static bool
plain_read(struct pump *p)
{
	ssize_t r;

	if (p->plain_in == -1 || !is_empty(&p->out) || !p->may_take)
		return false;
	r = io_read(p->plain_in, p->out.room, sizeof p->out.room);
	if (is_blocked(r)) {
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
	if (is_blocked(r)) {
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
	struct pollfd fds[4] = {
		poll_for(p->net_in, may_listen(p) ? POLLIN : 0),
		poll_for(p->net_out, !p->dead && on_wire(p).n ? POLLOUT : 0),
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

	moved |= decrypt(p);
	moved |= plain_write(p);
	moved |= plain_read(p);
	moved |= encrypt(p);
	moved |= net_write(p);
	return moved;
}

/* Everything that had to be said was said, and nobody listens any more. */
static bool
is_over(const struct pump *p)
{
	return (p->dead || (p->said_all && !on_wire(p).n)) && p->plain_out == -1;
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
	p->may_decrypt = p->may_write = p->may_give = true;
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
