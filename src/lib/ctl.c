/* ctl - control files, in the three forms of qmail-control(5). */
#include "lib/ctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/num.h"

#define PATH_SIZE 256
#define DIRECTORY "control/"

static enum ctl_status
slurp_path(const char *path, struct buf *text)
{
	enum io_status read_status;
	int fd, error;

	/* O_NONBLOCK stays: a FIFO is empty or an error, but nobody hangs. */
	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return errno == ENOENT && !fsops_is_named(path) ? CTL_ABSENT : CTL_ERROR;
	read_status = io_read_all(fd, text);
	error = read_status == IO_TOOLONG ? EFBIG : errno;
	(void)close(fd);
	errno = error;
	return read_status == IO_OK ? CTL_FOUND : CTL_ERROR;
}

static enum ctl_status
slurp(const char *name, struct buf *text)
{
	char path[PATH_SIZE] = DIRECTORY;
	size_t n = strlen(name);

	if (n >= sizeof path - strlen(DIRECTORY)) {
		errno = ENAMETOOLONG;
		return CTL_ERROR;
	}
	memcpy(path + strlen(DIRECTORY), name, n + 1);
	return slurp_path(path, text);
}

/* Without what may stand at the end of any line.  CR: files edited on other systems; it would end
 * up in SMTP lines otherwise. */
static struct span
trim(struct span line)
{
	while (line.n && strchr(" \t\n\r", line.p[line.n - 1]) && line.p[line.n - 1])
		line.n--;
	return line;
}

static enum ctl_status
failed(int error)
{
	errno = error;
	return CTL_ERROR;
}

enum ctl_status
ctl_line(const char *name, struct buf *line)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	enum ctl_status status = slurp(name, &text);

	if (status == CTL_FOUND) {
		struct span first = buf_span(&text);

		first = trim(span_head(first, span_chr(first, '\n')));
		buf_reset(line);
		buf_addspan(line, first);
		if (first.n > CTL_LINE_MAX)
			status = failed(EFBIG);
		else if (!buf_ok(line))
			status = failed(ENOMEM);
	}
	buf_free(&text);
	return status;
}

enum ctl_status
ctl_line_me(const char *name, const char *literal, struct buf *line)
{
	enum ctl_status status = ctl_line(name, line);

	if (status == CTL_ABSENT)
		status = ctl_line("me", line);
	if (status != CTL_ABSENT || !literal)
		return status;
	buf_reset(line);
	buf_adds(line, literal);
	return buf_ok(line) ? CTL_FOUND : CTL_ERROR;
}

enum ctl_status
ctl_number(const char *name, uint64_t max, uint64_t *value)
{
	struct buf line = { 0 };
	enum ctl_status status = ctl_line(name, &line);

	if (status == CTL_FOUND && !num_lead_u64(buf_span(&line), max, value))
		status = CTL_ABSENT;
	buf_free(&line);
	return status;
}

/* A NUL inside a line ends the entry and starts another: both separate alike.  It is looked for in
 * the line only, or a long list would be read once per entry. */
static size_t
entry_end(struct span s)
{
	return span_chr(span_head(s, span_chr(s, '\n')), '\0');
}

/* The entries of a file in list form, which is freed.  status: how reading it went. */
static enum ctl_status
take_entries(enum ctl_status status, struct buf *file, struct buf *text)
{
	struct span rest = buf_span(file);

	if (!text->max)
		text->max = CTL_FILE_MAX + 1;	/* a NUL for the last line */
	if (status == CTL_FOUND)
		buf_reset(text);
	while (status == CTL_FOUND && rest.n) {
		size_t end = entry_end(rest);
		struct span entry = trim(span_head(rest, end));

		rest = span_tail(rest, end + 1);
		if (!entry.n || entry.p[0] == '#')
			continue;
		if (entry.n > CTL_LINE_MAX)
			status = failed(EFBIG);
		buf_addspan(text, entry);
		buf_addc(text, '\0');
	}
	if (status == CTL_FOUND && !buf_ok(text))
		status = failed(ENOMEM);
	buf_free(file);
	return status;
}

enum ctl_status
ctl_text(const char *name, struct buf *text)
{
	buf_reset(text);
	return slurp(name, text);
}

bool
ctl_next_line(const struct buf *text, size_t *pos, size_t *number, struct span *entry)
{
	struct span rest;

	while ((rest = span_tail(buf_span(text), *pos)).n) {
		size_t end = entry_end(rest);

		*pos += end + 1;
		if (*pos < 2 + end || text->p[*pos - end - 2] == '\n')
			++*number;
		*entry = trim(span_head(rest, end));
		if (entry->n && entry->p[0] != '#')
			return true;
	}
	return false;
}

enum ctl_status
ctl_list(const char *name, struct buf *text)
{
	struct buf file = { .max = CTL_FILE_MAX, .secret = text->secret };

	return take_entries(slurp(name, &file), &file, text);
}

bool
ctl_next(const struct buf *text, size_t *pos, struct span *entry)
{
	struct span rest = span_tail(buf_span(text), *pos);

	if (!rest.n)
		return false;
	*entry = span_head(rest, span_chr(rest, '\0'));
	*pos += entry->n + 1;
	return true;
}

/* The entries as a set; the text is freed.  status: as for take_entries. */
static enum ctl_status
take_set(enum ctl_status status, struct buf *text, bool with_values, struct set *s)
{
	struct span entry;
	size_t pos = 0;

	if (!s->text.max)
		s->text.max = CTL_FILE_MAX;
	while (status == CTL_FOUND && ctl_next(text, &pos, &entry)) {
		size_t colon = with_values ? span_chr(entry, ':') : entry.n;

		if (!with_values || colon < entry.n)
			set_add(s, span_head(entry, colon), span_tail(entry, colon + 1));
	}
	if (status == CTL_FOUND && !set_finish(s))
		status = failed(ENOMEM);
	buf_free(text);
	return status;
}

enum ctl_status
ctl_set(const char *name, struct set *s)
{
	struct buf text = { 0 };

	return take_set(ctl_list(name, &text), &text, false, s);
}

enum ctl_status
ctl_map(const char *name, struct set *s)
{
	struct buf text = { .secret = s->text.secret };

	return take_set(ctl_list(name, &text), &text, true, s);
}

enum ctl_status
ctl_names(struct set *names)
{
	DIR *dir = opendir(DIRECTORY);
	const struct dirent *entry;
	int error;

	if (!dir)
		return errno == ENOENT ? CTL_ABSENT : CTL_ERROR;
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		set_add(names, span_str(entry->d_name), span_of(NULL, 0));
	error = errno;
	(void)closedir(dir);
	if (error)
		return failed(error);
	return set_finish(names) ? CTL_FOUND : failed(ENOMEM);
}

enum ctl_status
ctl_path_text(const char *path, struct buf *text)
{
	buf_reset(text);
	return slurp_path(path, text);
}

enum ctl_status
ctl_path_list(const char *path, struct buf *text)
{
	struct buf file = BUF_CAP(CTL_FILE_MAX);

	return take_entries(slurp_path(path, &file), &file, text);
}

enum ctl_status
ctl_path_set(const char *path, struct set *s)
{
	struct buf text = { 0 };

	return take_set(ctl_path_list(path, &text), &text, false, s);
}

enum ctl_status
ctl_path_map(const char *path, struct set *s)
{
	struct buf text = { 0 };

	return take_set(ctl_path_list(path, &text), &text, true, s);
}
