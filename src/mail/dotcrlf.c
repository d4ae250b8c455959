/* dotcrlf - message text on the wire of SMTP and POP3 and as it is stored, both ways.
 * Both directions carry their state over from piece to piece, so it does not matter where the
 * network or the file system cuts the text. */
#include "mail/dotcrlf.h"

#include <string.h>

/* Bytes before the first CR or LF. */
static size_t
plain_run(const char *p, size_t n)
{
	size_t lf = span_chr(span_of(p, n), '\n');

	return span_chr(span_of(p, lf), '\r');
}

/* One byte that is not plain text inside a line.  Appends to out + *n what is no longer held
 * back. */
static enum dotcrlf_status
step(struct dotcrlf_decoder *d, char c, char *out, size_t *n)
{
	bool held_dot = d->state == DOTCRLF_AFTER_DOT_CR;
	bool held_cr = held_dot || d->state == DOTCRLF_AFTER_CR;
	bool at_line = d->state == DOTCRLF_AT_LINE;

	if (c == '\n') {
		d->state = DOTCRLF_AT_LINE;
		if (held_dot)
			return DOTCRLF_END;
		if (!held_cr)
			return DOTCRLF_BARE_LF;
		out[(*n)++] = '\n';
		return DOTCRLF_MORE;
	}
	if (held_dot)
		out[(*n)++] = '.';
	if (held_cr)
		out[(*n)++] = '\r';
	if (c == '\r') {
		d->state = d->state == DOTCRLF_AFTER_DOT ? DOTCRLF_AFTER_DOT_CR : DOTCRLF_AFTER_CR;
	} else if (c == '.' && at_line) {
		d->state = DOTCRLF_AFTER_DOT;
	} else {
		out[(*n)++] = c;
		d->state = DOTCRLF_IN_LINE;
	}
	return DOTCRLF_MORE;
}

enum dotcrlf_status
dotcrlf_decode(struct dotcrlf_decoder *d, struct span *in, char *out, size_t *n)
{
	enum dotcrlf_status status = DOTCRLF_MORE;

	*n = 0;
	while (in->n && status == DOTCRLF_MORE) {
		if (d->state == DOTCRLF_IN_LINE) {
			size_t run = plain_run(in->p, in->n);

			memcpy(out + *n, in->p, run);
			*n += run;
			*in = span_tail(*in, run);
		}
		if (in->n) {
			status = step(d, in->p[0], out, n);
			*in = span_tail(*in, 1);
		}
	}
	return status;
}

static void
send_bytes(struct dotcrlf_encoder *e, struct io_out *out, const char *p, size_t n)
{
	e->octets += n;
	if (out)
		io_put(out, p, n);
}

static void
end_line(struct dotcrlf_encoder *e, struct io_out *out)
{
	send_bytes(e, out, "\r\n", 2);
	e->in_line = false;
}

static void
send_run(struct dotcrlf_encoder *e, struct io_out *out, const char *p, size_t n)
{
	if (!e->in_line && p[0] == '.' && out)
		io_putc(out, '.');
	send_bytes(e, out, p, n);
	e->in_line = true;
}

void
dotcrlf_encode(struct dotcrlf_encoder *e, struct io_out *out, const char *p, size_t n)
{
	while (n) {
		size_t used = 1;

		if (e->after_cr && p[0] != '\n')
			send_run(e, out, e->keep_cr ? "\r" : " ", 1);
		e->after_cr = p[0] == '\r';
		if (p[0] == '\n') {
			end_line(e, out);
		} else if (p[0] != '\r') {
			used = plain_run(p, n);
			send_run(e, out, p, used);
		}
		p += used;
		n -= used;
	}
}

void
dotcrlf_encode_end(struct dotcrlf_encoder *e, struct io_out *out)
{
	/* A text that consists of one CR held back would otherwise send nothing at all. */
	if (e->in_line || e->after_cr)
		end_line(e, out);
	e->after_cr = false;
}
