/* report - what programs say on a descriptor: one line each, in one write. */
#include "lib/report.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/io.h"

PRINTF_LIKE(2, 0) static void
write_line(int fd, const char *format, va_list values)
{
	struct buf line = { 0 };
	va_list again;
	char *at;
	int n;

	va_copy(again, values);
	n = vsnprintf(NULL, 0, format, values);
	/* One byte more, for the NUL that becomes the LF. */
	if (n >= 0 && (at = buf_room(&line, (size_t)n + 1)) &&
	    vsnprintf(at, (size_t)n + 1, format, again) == n) {
		at[n] = '\n';
		(void)!io_write_all(fd, at, (size_t)n + 1);
	}
	va_end(again);
	buf_free(&line);
}

void
report_line(int fd, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	write_line(fd, format, values);
	va_end(values);
}

int
report_fail(int code, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	write_line(2, format, values);
	va_end(values);
	return code;
}
