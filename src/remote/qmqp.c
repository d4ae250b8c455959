/* qmqp - the client's side of QMQP. */
#include "remote/qmqp.h"

#include <errno.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"
#include "mail/netstr.h"
#include "net/conn.h"
#include "queue/envelope.h"

#define BUFFER 16384

/* ---- servers ---- */

/* Length of the address in front. */
static size_t
address_length(struct span entry)
{
	size_t n = 0;

	if (entry.n && entry.p[0] == '[')
		return span_chr(entry, ']') + 1;
	while (n < entry.n && (ascii_isdigit(entry.p[n]) || entry.p[n] == '.'))
		n++;
	return n;
}

static bool
parse_port(struct span text, uint16_t *port)
{
	uint64_t value = 0;

	if (num_lead_u64(text, UINT64_MAX, &value) == 0)
		return true;
	*port = value <= UINT16_MAX ? (uint16_t)value : 0;
	return *port != 0;
}

bool
qmqp_parse_server(struct span entry, struct qmqp_server *server)
{
	size_t n = address_length(entry), word = 0;
	struct span address = span_head(entry, n);

	*server = (struct qmqp_server){ .port = QMQP_PORT };
	while (word < entry.n && !ascii_isblank(entry.p[word]))
		word++;
	if (ip_parse(span_head(entry, word), &server->ip))
		return true;
	if (!ip_parse(address, &server->ip) && !ip_parse_literal(address, &server->ip))
		return false;
	return n >= entry.n || entry.p[n] != ':' ||
	    parse_port(span_tail(entry, n + 1), &server->port);
}

/* ---- the request ---- */

static enum qqcode
read_message(struct spool *message, int fd)
{
	switch (spool_take(message, fd)) {
	case SPOOL_OK:
		return QQ_OK;
	case SPOOL_READ:
		return QQ_READ;
	case SPOOL_WRITE:
		return QQ_WRITE;
	case SPOOL_MEMORY:
		break;
	}
	return QQ_MEMORY;
}

static void
add_netstring(struct buf *to, const struct buf *text)
{
	buf_addnum(to, text->n);
	buf_addc(to, ':');
	buf_addbuf(to, text);
	buf_addc(to, ',');
}

/* The sender, recipients, and a NUL where the next record would begin. */
static enum qqcode
read_envelope(struct io_in *in, struct buf *envelope, struct buf *address)
{
	char want = ENVELOPE_SENDER, type;

	for (;;) {
		switch (envelope_read(in, &type, address)) {
		case IO_OK:
			break;
		case IO_EOF:
			return QQ_FORMAT;
		case IO_TOOLONG:
			return QQ_ADDRESS_TOO_LONG;
		default:
			return errno == ENOMEM ? QQ_MEMORY : QQ_READ;
		}
		if (type == '\0' && want == ENVELOPE_RECIPIENT)
			return QQ_OK;
		if (type != want)
			return QQ_FORMAT;
		want = ENVELOPE_RECIPIENT;
		add_netstring(envelope, address);
		if (!buf_ok(envelope))
			return QQ_MEMORY;
	}
}

enum qqcode
qmqp_read_request(struct qmqp_request *r, int message_fd, int envelope_fd)
{
	struct buf address = { 0 };
	char buffer[BUFFER];
	enum qqcode code;
	struct io_in in;

	if ((code = read_message(&r->message, message_fd)) != QQ_OK)
		return code;
	io_in_init(&in, envelope_fd, buffer, sizeof buffer);
	code = read_envelope(&in, &r->envelope, &address);
	buf_free(&address);
	return code;
}

void
qmqp_free_request(struct qmqp_request *r)
{
	spool_free(&r->message);
	buf_free(&r->envelope);
}

/* ---- one server ---- */

/* QQ_OK: every byte has been sent. */
static enum qqcode
put_request(const struct qmqp_request *r, int fd, bool *final)
{
	char buffer[BUFFER];
	struct io_out out;

	io_out_init(&out, fd, buffer, sizeof buffer);
	out.timeout_ms = QMQP_TIMEOUT_MS;
	out.nonblocking = true;
	netstr_put_head(&out, netstr_size(r->message.size) + r->envelope.n);
	netstr_put_head(&out, r->message.size);
	if (spool_put(&r->message, &out) != SPOOL_OK) {
		*final = true;
		return QQ_READ;
	}
	io_putc(&out, ',');
	io_putspan(&out, buf_span(&r->envelope));
	io_putc(&out, ',');
	/* A write that fails leaves bytes unsent, so this server cannot have the whole request. */
	return io_flush(&out) == -1 ? QQ_CONN_FAILED : QQ_OK;
}

/* The length of the answer; 0 for what is none. */
static uint64_t
read_length(struct io_in *in)
{
	struct netstr_head head = { 0 };
	char c;

	while (io_getc(in, &c) == IO_OK) {
		switch (netstr_head(&head, c)) {
		case NETSTR_MORE:
			break;
		case NETSTR_COMPLETE:
			return head.length;
		case NETSTR_BAD:
			return 0;
		}
	}
	return 0;
}

/* What can be had of n more bytes. */
static void
read_reason(struct io_in *in, char letter, uint64_t n, struct buf *reason)
{
	buf_addc(reason, letter);
	n = n < QMQP_REASON_MAX - 1 ? n : QMQP_REASON_MAX - 1;
	while (n && io_fill(in) == IO_OK) {
		struct span piece = span_head(io_peek(in), (size_t)n);

		log_add_visible(reason, piece, true, '?');
		io_skip(in, piece.n);
		n -= piece.n;
	}
}

/* The first byte of the answer decides; once it is there, the rest may be lost. */
static enum qqcode
read_answer(int fd, struct buf *reason)
{
	char buffer[BUFFER], letter;
	struct io_in in;
	uint64_t n;

	io_in_init(&in, fd, buffer, sizeof buffer);
	in.timeout_ms = QMQP_TIMEOUT_MS;
	in.deadline = deadline_after(QMQP_ANSWER_MAX_MS);
	if ((n = read_length(&in)) == 0 || io_getc(&in, &letter) != IO_OK)
		return QQ_CONN_FAILED;
	switch (letter) {
	case 'K':
		return QQ_OK;
	case 'D':
		read_reason(&in, letter, n - 1, reason);
		return QQ_REFUSED;
	case 'Z':
		read_reason(&in, letter, n - 1, reason);
		return QQ_REFUSED_NOW;
	default:
		return QQ_CONN_FAILED;
	}
}

enum qqcode
qmqp_send(const struct qmqp_request *r, const struct qmqp_server *server, struct buf *reason,
    bool *final)
{
	int fd = conn_open(&server->ip, server->port, NULL, QMQP_CONNECT_MS);
	enum qqcode code;

	buf_reset(reason);
	*final = false;
	if (fd == -1) {
		*final = conn_out_of_resources(errno);
		return *final ? QQ_NETWORK :
		    errno == ETIMEDOUT ? QQ_CONN_TIMEOUT : QQ_CONN_REFUSED;
	}
	if ((code = put_request(r, fd, final)) == QQ_OK) {
		*final = true;	/* from here on the server may have the message */
		code = read_answer(fd, reason);
	}
	(void)close(fd);
	return code;
}
