/* qmail-newmrh - compile control/morercpthosts into control/morercpthosts.cdb.
 * Run by: the administrator, after changing the file.  No arguments, no environment.
 * Exit: 0, with a warning on fd 2 for each of the first lines that cannot match any domain; or 111
 * with one line on fd 2; then the old database is untouched. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/cdbmap.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/report.h"

#define SOURCE "control/morercpthosts"
#define TEMPORARY "control/morercpthosts.tmp"
#define RESULT "control/morercpthosts.cdb"
#define WARNINGS 20

static int
complain(const char *doing, const char *what)
{
	return report_fail(CODE_TEMP, "qmail-newmrh: fatal: unable to %s %s: %s", doing, what,
	    errtext(errno));
}

/* Every entry in lower case, without data: that it is there says all. */
static int
add_entries(struct cdbmap_maker *mk, struct buf *list)
{
	struct span entry;
	size_t pos = 0;

	if (list->n)
		ascii_lower_n(list->p, list->n);
	while (ctl_next(list, &pos, &entry))
		if (cdbmap_make_add(mk, entry, span_of("", 0)) == -1)
			return -1;
	return 0;
}

/* Writes the database to fd; fd stays open. */
static int
write_database(int fd, struct buf *list)
{
	struct cdbmap_maker *mk = cdbmap_make(fd);
	int added, error;

	if (!mk)
		return -1;
	added = add_entries(mk, list);
	error = errno;
	if (cdbmap_make_finish(mk) == -1)
		return -1;
	errno = error;
	return added;
}

static int
build(struct buf *list)
{
	int fd = open(TEMPORARY, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1)
		return complain("create", TEMPORARY);
	if (write_database(fd, list) == -1) {
		int error = errno;

		(void)close(fd);
		(void)unlink(TEMPORARY);
		errno = error;
		return complain("write", TEMPORARY);
	}
	if (fsops_publish(fd, TEMPORARY, RESULT) == -1)
		return complain("replace", RESULT);
	return CODE_OK;
}

/* Why no domain of an address can be equal to the entry; NULL: one can. */
static const char *
flaw(struct span entry)
{
	if (span_chr(entry, '@') < entry.n)
		return "an address, not a domain";
	if (entry.p[0] == '*')
		return "`*' stands for itself; `.x' is every name below x";
	if (entry.p[entry.n - 1] == '.')
		return "it ends with a dot";
	for (size_t i = 0; i < entry.n; i++)
		if (ascii_isblank(entry.p[i]) || ascii_iscntrl(entry.p[i]))
			return "a blank or control character in it";
	return NULL;
}

/* Such lines are compiled as they are, because 1.03 does. */
static void
warn_of_lines(void)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	struct span rest;
	unsigned warnings = 0;

	if (ctl_path_text(SOURCE, &text) != CTL_FOUND)
		text.n = 0;
	rest = buf_span(&text);
	for (size_t line = 1; rest.n && warnings < WARNINGS; line++) {
		struct span entry = span_head(rest, span_chr(rest, '\n'));
		const char *why;

		rest = span_tail(rest, entry.n < rest.n ? entry.n + 1 : rest.n);
		while (entry.n && (ascii_isblank(entry.p[entry.n - 1]) ||
		    entry.p[entry.n - 1] == '\r'))
			entry.n--;
		if (!entry.n || entry.p[0] == '#' || !(why = flaw(entry)))
			continue;
		report_line(2, "qmail-newmrh: warning: " SOURCE " line %zu: %s", line, why);
		warnings++;
	}
	buf_free(&text);
}

int
main(void)
{
	struct buf list = { 0 };
	int code;

	(void)umask(033);
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1)
		return complain("enter", QMAIL_HOME);
	switch (ctl_list("morercpthosts", &list)) {
	case CTL_FOUND:
		if ((code = build(&list)) == CODE_OK)
			warn_of_lines();
		break;
	case CTL_ABSENT:
		errno = ENOENT;
		code = complain("read", SOURCE);
		break;
	default:
		code = complain("read", SOURCE);
	}
	buf_free(&list);
	return code;
}
