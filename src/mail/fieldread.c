/* fieldread - the fields of a message's header, one after the other. */
#include "mail/fieldread.h"

#include <errno.h>

/* Makes sure that `line` holds the next line.  IO_EOF: there is none. */
static enum io_status
look_ahead(struct fieldread *r)
{
	while (!r->ahead) {
		enum io_status status;

		buf_reset(&r->line);
		status = io_get_until(r->in, '\n', &r->line);
		if (status == IO_TOOLONG && !r->line.over) {
			errno = ENOMEM;
			return IO_ERROR;
		}
		if (status == IO_TOOLONG)
			continue;	/* as if it were not there */
		if (status != IO_OK && (status != IO_EOF || !r->line.n))
			return status;
		r->ahead = true;
	}
	return IO_OK;
}

/* Takes the lines of the field that begins here. */
static enum io_status
gather(struct fieldread *r)
{
	enum io_status status;

	buf_reset(&r->field);
	do {
		if (r->field.n || r->field.failed)
			buf_addc(&r->field, '\n');
		buf_addbuf(&r->field, &r->line);
		r->ahead = false;
		status = look_ahead(r);
	} while (status == IO_OK &&
	    field_classify(buf_span(&r->line), NULL, NULL) == FIELD_LINE_FOLDED);
	if (status != IO_OK && status != IO_EOF)
		return status;
	if (buf_ok(&r->field) || r->field.over)
		return IO_OK;
	errno = ENOMEM;
	return IO_ERROR;
}

enum io_status
fieldread_next(struct fieldread *r)
{
	for (;;) {
		enum io_status status = look_ahead(r);
		enum field_line kind;
		struct span name = { NULL, 0 };

		if (status != IO_OK)
			return status;
		kind = field_classify(buf_span(&r->line), NULL, NULL);
		if (kind != FIELD_LINE_START && kind != FIELD_LINE_MBOX)
			return IO_EOF;
		if ((status = gather(r)) != IO_OK)
			return status;
		if (kind == FIELD_LINE_MBOX || !buf_ok(&r->field))
			continue;
		(void)field_classify(buf_span(&r->field), &name, &r->rest);
		r->id = field_identify(name);
		return IO_OK;
	}
}

void
fieldread_free(struct fieldread *r)
{
	buf_free(&r->field);
	buf_free(&r->line);
}
