/* ident - asks the host at the other end of a TCP connection whose connection it is. */
#include "tools/ident.h"

#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "net/conn.h"

#define IDENT_PORT 113
#define COLONS 3
#define REQUEST_SIZE 32		/* two numbers of five digits and ` , ` CRLF */
#define READ_SIZE 512

bool
ident_parse(struct span line, struct buf *user)
{
	for (int colon = 0; colon < COLONS; colon++) {
		size_t at = span_chr(line, ':');

		if (at == line.n)
			return false;
		line = span_tail(line, at + 1);
	}
	buf_reset(user);
	for (size_t i = 0; i < line.n && user->n < IDENT_USER_MAX; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			buf_addc(user, line.p[i]);
	return buf_ok(user);
}

static bool
exchange(int fd, const struct ident_connection *c, int64_t timeout_ms, struct buf *line)
{
	char request[REQUEST_SIZE], answer[READ_SIZE];
	struct io_out out;
	struct io_in in;

	io_out_init(&out, fd, request, sizeof request);
	out.timeout_ms = timeout_ms;
	io_putnum(&out, c->remote_port);
	io_puts(&out, " , ");
	io_putnum(&out, c->local_port);
	io_puts(&out, "\r\n");
	io_in_init(&in, fd, answer, sizeof answer);
	in.timeout_ms = timeout_ms;
	/* One byte at a time could go on for days. */
	in.deadline = deadline_after(4 * timeout_ms);
	in.tie = &out;
	return io_get_until(&in, '\n', line) == IO_OK;
}

bool
ident_ask(const struct ident_connection *c, int64_t timeout_ms, struct buf *user)
{
	struct buf line = BUF_CAP(IDENT_ANSWER_MAX);
	int fd = conn_open(&c->remote, IDENT_PORT, &c->local, timeout_ms);
	bool found;

	if (fd == -1)
		return false;
	found = exchange(fd, c, timeout_ms, &line) && ident_parse(buf_span(&line), user);
	(void)close(fd);
	buf_free(&line);
	return found;
}
