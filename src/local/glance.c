/* glance - what of a message is shown to somebody who has no time. */
#include "local/glance.h"

#include <errno.h>

#include "lib/ascii.h"
#include "lib/io.h"
#include "mail/fieldread.h"

#define READ_SIZE 4096

static struct span
skip_blanks(struct span s)
{
	while (s.n && (ascii_isblank(s.p[0]) || s.p[0] == '\n'))
		s = span_tail(s, 1);
	return s;
}

static void
take_field(struct glance *g, enum field_id id, struct span rest)
{
	struct buf *to = id == FIELD_RETURN_PATH ? &g->sender :
	    id == FIELD_DELIVERED_TO ? &g->recipient :
	    id == FIELD_FROM ? &g->from :
	    id == FIELD_SUBJECT ? &g->text : NULL;

	if (!to)
		return;
	buf_reset(to);
	buf_addspan(to, skip_blanks(rest));
	if (id == FIELD_SUBJECT)
		buf_addc(to, '\n');
}

/* The body's first line was read ahead, and then there is the rest. */
static enum io_status
take_body(struct glance *g, const struct fieldread *r, size_t text_max)
{
	enum io_status status = IO_OK;

	if (r->ahead) {
		buf_addbuf(&g->text, &r->line);
		buf_addc(&g->text, '\n');
	}
	while (g->text.n < text_max && (status = io_fill(r->in)) == IO_OK) {
		struct span piece = io_peek(r->in);

		buf_addspan(&g->text, piece);
		io_skip(r->in, piece.n);
		if (!buf_ok(&g->text)) {
			errno = ENOMEM;
			return IO_ERROR;
		}
	}
	return status == IO_EOF ? IO_OK : status;
}

int
glance_read(struct glance *g, int fd, size_t text_max)
{
	char buffer[READ_SIZE];
	struct io_in in;
	struct fieldread r = FIELDREAD(&in);
	enum io_status status;
	int error;

	io_in_init(&in, fd, buffer, sizeof buffer);
	while ((status = fieldread_next(&r)) == IO_OK)
		take_field(g, r.id, r.rest);
	if (status == IO_EOF)
		status = take_body(g, &r, text_max);
	error = errno;
	buf_cut(&g->text, text_max);
	fieldread_free(&r);
	errno = error;
	if (status != IO_OK)
		return -1;
	if (buf_ok(&g->sender) && buf_ok(&g->recipient) && buf_ok(&g->from) && buf_ok(&g->text))
		return 0;
	errno = ENOMEM;
	return -1;
}

void
glance_free(struct glance *g)
{
	buf_free(&g->sender);
	buf_free(&g->recipient);
	buf_free(&g->from);
	buf_free(&g->text);
}
