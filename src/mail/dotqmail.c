/* dotqmail - delivery instructions: which file they are in, what its lines say. */
#include "mail/dotqmail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"

static const char standard[] = "default";
#define STANDARD_LENGTH (sizeof standard - 1)

/* ---- the file ---- */

/* `.qmail`, dash and the first n bytes of ext; dots become colons, so no name can lead upwards. */
static void
set_name(struct buf *name, struct span dash, struct span ext, size_t n, const char *behind)
{
	buf_reset(name);
	buf_adds(name, ".qmail");
	buf_addspan(name, dash);
	for (size_t i = 0; i < n; i++)
		buf_addc(name, ext.p[i] == '.' ? ':' : ascii_lower(ext.p[i]));
	buf_adds(name, behind);
}

/* FOUND: *fd is open on a regular file. */
static enum dotqmail_status
open_candidate(const struct buf *name, int *fd, struct stat *st)
{
	int r, error;

	if (!buf_ok(name))
		return DOTQMAIL_MEMORY;
	*fd = open(buf_str(name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (*fd == -1)
		return errtext_absent(errno) ? DOTQMAIL_ABSENT : DOTQMAIL_OPEN;
	r = fstat(*fd, st);
	if (r == 0 && S_ISREG(st->st_mode))
		return DOTQMAIL_FOUND;
	error = errno;
	(void)close(*fd);
	errno = error;
	return r == 0 ? DOTQMAIL_ABSENT : DOTQMAIL_OPEN;
}

/* ext itself was asked for; the last 7 bytes of its name may still be `default`. */
static void
note_exact(struct dotqmail *d, struct span ext)
{
	if (ext.n < STANDARD_LENGTH)
		return;
	d->rest = ext.n - STANDARD_LENGTH;
	d->has_rest = ascii_ieq(span_tail(ext, d->rest), span_str(standard));
}

static enum dotqmail_status
search(struct dotqmail *d, struct span dash, struct span ext, int *fd, struct stat *st)
{
	enum dotqmail_status status;

	set_name(&d->name, dash, ext, ext.n, "");
	status = open_candidate(&d->name, fd, st);
	if (status == DOTQMAIL_FOUND)
		note_exact(d, ext);
	for (size_t n = ext.n + 1; n > 0 && status == DOTQMAIL_ABSENT; n--) {
		size_t kept = n - 1;

		if (kept > 0 && ext.p[kept - 1] != '-')
			continue;
		set_name(&d->name, dash, ext, kept, standard);
		status = open_candidate(&d->name, fd, st);
		d->has_rest = status == DOTQMAIL_FOUND;
		d->rest = kept;
	}
	return status;
}

static enum dotqmail_status
read_chosen(struct dotqmail *d, int fd, const struct stat *st)
{
	if (st->st_mode & FORBIDDEN_MODE)
		return DOTQMAIL_WRITABLE;
	d->forward_only = st->st_mode & S_IXUSR;
	switch (io_read_all(fd, &d->text)) {
	case IO_OK:
		return DOTQMAIL_FOUND;
	case IO_TOOLONG:
		errno = EFBIG;
		return d->text.over ? DOTQMAIL_READ : DOTQMAIL_MEMORY;
	default:
		return DOTQMAIL_READ;
	}
}

enum dotqmail_status
dotqmail_find(struct dotqmail *d, struct span dash, struct span ext)
{
	enum dotqmail_status status;
	struct stat st;
	int error, fd = -1;

	status = search(d, dash, ext, &fd, &st);
	if (status == DOTQMAIL_ABSENT)
		buf_reset(&d->name);
	if (status != DOTQMAIL_FOUND)
		return status;
	status = read_chosen(d, fd, &st);
	error = errno;
	(void)close(fd);
	errno = error;
	return status;
}

void
dotqmail_free(struct dotqmail *d)
{
	buf_free(&d->name);
	buf_free(&d->text);
}

enum dotqmail_status
dotqmail_exists(struct buf *name, struct span dash, struct span ext, const char *behind)
{
	struct stat st;

	set_name(name, dash, ext, ext.n, behind);
	if (!buf_ok(name))
		return DOTQMAIL_MEMORY;
	if (stat(buf_str(name), &st) == 0)
		return DOTQMAIL_FOUND;
	return errtext_absent(errno) || errno == EACCES || errno == EPERM ? DOTQMAIL_ABSENT :
	    DOTQMAIL_OPEN;
}

/* ---- the lines ---- */

/* Up to the first NUL, without blanks at the end; a CR is what another system left there. */
static struct span
trim(struct span line)
{
	line = span_head(line, span_chr(line, '\0'));
	while (line.n && (ascii_isblank(line.p[line.n - 1]) || line.p[line.n - 1] == '\r'))
		line.n--;
	return line;
}

static struct dot_line
decode(struct span line, bool first)
{
	char last = line.n ? line.p[line.n - 1] : '\0';

	switch (line.n ? line.p[0] : '\0') {
	case '\0':
		return (struct dot_line){ first ? DOT_BLANK : DOT_NOTHING, line };
	case '#':
		return (struct dot_line){ DOT_NOTHING, line };
	case '+':
		return (struct dot_line){ span_eq(line, span_str("+list")) ? DOT_LIST :
			DOT_NOTHING, line };
	case '.':
	case '/':
		return (struct dot_line){ last == '/' ? DOT_MAILDIR : DOT_MBOX, line };
	case '|':
		return (struct dot_line){ DOT_PROGRAM, span_tail(line, 1) };
	case '&':
		return (struct dot_line){ DOT_FORWARD, span_tail(line, 1) };
	default:
		return (struct dot_line){ DOT_FORWARD, line };
	}
}

bool
dotqmail_next(struct span text, size_t *pos, struct dot_line *line)
{
	struct span left = span_tail(text, *pos);
	size_t n = span_chr(left, '\n');

	if (left.n == 0)
		return false;
	*line = decode(trim(span_head(left, n)), *pos == 0);
	*pos += n < left.n ? n + 1 : n;
	return true;
}

enum dotqmail_check
dotqmail_check(struct span text, bool forward_only)
{
	struct dot_line line;

	if (!text.n)
		return DOTQMAIL_BLANK;
	for (size_t pos = 0; dotqmail_next(text, &pos, &line);) {
		if (line.kind == DOT_BLANK)
			return DOTQMAIL_BLANK;
		if (line.kind == DOT_LIST)
			forward_only = true;
		if (forward_only && (line.kind == DOT_MAILDIR || line.kind == DOT_MBOX))
			return DOTQMAIL_NO_FILES;
		if (forward_only && line.kind == DOT_PROGRAM)
			return DOTQMAIL_NO_PROGRAMS;
	}
	return DOTQMAIL_FINE;
}
