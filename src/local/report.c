/* report - what the programs of this folder say: one line each, in one write. */
#include "local/report.h"

#include <stdarg.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/io.h"

static void
write_line(int fd, const char *first, va_list more)
{
	struct buf line = { 0 };

	for (const char *s = first; s; s = va_arg(more, const char *))
		buf_adds(&line, s);
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		(void)!io_write_all(fd, line.p, line.n);
	buf_free(&line);
}

void
report_line(int fd, const char *first, ...)
{
	va_list more;

	va_start(more, first);
	write_line(fd, first, more);
	va_end(more);
}

int
report_fail(int code, const char *first, ...)
{
	va_list more;

	va_start(more, first);
	write_line(2, first, more);
	va_end(more);
	return code;
}
