/* log - text from strangers made fit for one log line. */
#include "lib/log.h"

#include "lib/ascii.h"

void
log_add_safe(struct buf *line, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n')
			c = '/';
		else if (!ascii_isgraph(c) || c == '%')
			c = '_';
		buf_addc(line, c);
	}
}

void
log_add_visible(struct buf *line, struct span text, bool keep_space, char instead)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!ascii_isgraph(c) && !(keep_space && c == ' '))
			c = instead;
		buf_addc(line, c);
	}
}
