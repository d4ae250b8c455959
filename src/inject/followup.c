/* followup - Mail-Followup-To. */
#include "inject/followup.h"

#include <errno.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "mail/addr5321.h"

static void
add_lines(struct set *lists, struct span text)
{
	while (text.n) {
		size_t end = span_chr(text, '\n');
		struct span line = span_head(text, end);

		text = span_tail(text, end + 1);
		while (line.n && (ascii_isblank(line.p[line.n - 1]) || line.p[line.n - 1] == '\r'))
			line.n--;
		if (line.n && line.p[0] != '#')
			set_add(lists, line, span_of(NULL, 0));
	}
}

enum fault
followup_load(struct followup *f, const char *path)
{
	struct buf text = BUF_CAP(FOLLOWUP_FILE_MAX);
	enum io_status status;
	int fd;

	if (!path)
		return FAULT_NONE;
	if ((fd = fsops_open_read(path)) == -1)
		return errno == ENOENT ? FAULT_NONE : FAULT_READ;
	status = io_read_all(fd, &text);
	(void)close(fd);
	f->active = true;
	if (status == IO_OK)
		add_lines(&f->lists, buf_span(&text));
	buf_free(&text);
	if (status != IO_OK)
		return FAULT_READ;
	return set_finish(&f->lists) ? FAULT_NONE : FAULT_MEMORY;
}

void
followup_free(struct followup *f)
{
	set_free(&f->lists);
}

bool
followup_is_due(const struct followup *f, const struct recips *to)
{
	struct span address;

	for (size_t at = 0; f->active && recips_next(to, &at, &address);)
		if (set_find(&f->lists, address, NULL))
			return true;
	return false;
}

void
followup_write(const struct recips *to, struct buf *out)
{
	struct span address;

	buf_adds(out, "Mail-Followup-To: ");
	for (size_t at = to->text.n; recips_previous(to, &at, &address);) {
		addr5321_quote(out, address);
		buf_adds(out, at ? ",\n  " : "\n");
	}
}
