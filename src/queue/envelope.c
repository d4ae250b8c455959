/* envelope - the records of todo, info, local and remote files. */
#include "queue/envelope.h"

#include <errno.h>

enum io_status
envelope_read(struct io_in *in, char *type, struct buf *data)
{
	enum io_status status = io_getc(in, type);

	buf_reset(data);
	data->max = ENVELOPE_RECORD_MAX;
	/* A NUL where the type should be is a whole record, of an unknown type. */
	if (status != IO_OK || *type == '\0')
		return status;
	status = io_get_until(in, '\0', data);
	if (status == IO_TOOLONG && !data->over) {
		errno = ENOMEM;
		return IO_ERROR;
	}
	return status;
}

void
envelope_put(struct io_out *out, enum envelope_type type, struct span data)
{
	io_putc(out, (char)type);
	io_putspan(out, data);
	io_putc(out, '\0');
}

void
envelope_put_number(struct io_out *out, enum envelope_type type, uint64_t value)
{
	io_putc(out, (char)type);
	io_putnum(out, value);
	io_putc(out, '\0');
}
