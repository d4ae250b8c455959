/* listcdb - a list of the control directory compiled into a database. */
#include "tools/listcdb.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alabel.h"
#include "lib/ascii.h"
#include "lib/cdbmap.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/rebuild.h"
#include "lib/report.h"

struct listcdb {
	const char *program, *name;
	struct buf source, temporary, result;	/* paths */
	struct buf list;
};

static int
complain(const struct listcdb *l, const char *doing, const char *what)
{
	return report_fail(CODE_TEMP, "%s: fatal: unable to %s %s: %s", l->program, doing, what,
	    errtext(errno));
}

/* That an entry is there says all.  With labels in UTF-8 it is there as it is, too, for readers
 * that compare bytes. */
static int
add_entry(struct cdbmap_maker *mk, struct span entry)
{
	char room[ALABEL_NAME_MAX];
	struct span folded = alabel_fold(entry, room);

	if (cdbmap_make_add(mk, entry, span_of("", 0)) == -1)
		return -1;
	return folded.p == entry.p ? 0 : cdbmap_make_add(mk, folded, span_of("", 0));
}

static int
add_entries(struct cdbmap_maker *mk, struct buf *list)
{
	struct span entry;
	size_t pos = 0;

	if (list->n)
		ascii_lower_n(list->p, list->n);
	while (ctl_next(list, &pos, &entry))
		if (add_entry(mk, entry) == -1)
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

/* The temporary file is ours: we hold its lock. */
static int
give_up(struct listcdb *l, int fd, const char *doing, const struct buf *what)
{
	int error = errno;

	(void)unlink(buf_str(&l->temporary));
	(void)close(fd);
	errno = error;
	return complain(l, doing, buf_str(what));
}

static int
build(struct listcdb *l, int fd)
{
	if (ctl_list(l->name, &l->list) != CTL_FOUND)
		return give_up(l, fd, "read", &l->source);
	if (write_database(fd, &l->list) == -1)
		return give_up(l, fd, "write", &l->temporary);
	switch (rebuild_publish(fd, buf_str(&l->temporary), buf_str(&l->result))) {
	case REBUILD_OK:
		return CODE_OK;
	case REBUILD_WRITE:
		return give_up(l, fd, "write", &l->temporary);
	case REBUILD_MOVE:
		return give_up(l, fd, "replace", &l->result);
	default:
		return complain(l, "replace", buf_str(&l->result));
	}
}

const char *
listcdb_flaw(struct span entry)
{
	if (entry.p[entry.n - 1] == '.')
		return "it ends with a dot";
	for (size_t i = 0; i < entry.n; i++)
		if (ascii_isblank(entry.p[i]) || ascii_iscntrl(entry.p[i]))
			return "a blank or control character in it";
	return NULL;
}

/* The next line, without its end.  A NUL, which ends an entry, is left in it. */
static struct span
take_line(struct span *rest)
{
	struct span line = span_head(*rest, span_chr(*rest, '\n'));

	*rest = span_tail(*rest, line.n < rest->n ? line.n + 1 : rest->n);
	while (line.n && (ascii_isblank(line.p[line.n - 1]) || line.p[line.n - 1] == '\r'))
		line.n--;
	return line;
}

static void
warn_of_lines(const struct listcdb *l, const char *(*flaw)(struct span entry))
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	struct span rest;
	unsigned warnings = 0;

	if (ctl_text(l->name, &text) != CTL_FOUND)
		text.n = 0;
	rest = buf_span(&text);
	for (size_t line = 1; rest.n && warnings < LISTCDB_WARNINGS_MAX; line++) {
		struct span entry = take_line(&rest);
		const char *why;

		if (!entry.n || entry.p[0] == '#' || !(why = flaw(entry)))
			continue;
		report_line(2, "%s: warning: %s line %zu: %s", l->program, buf_str(&l->source),
		    line, why);
		warnings++;
	}
	buf_free(&text);
}

/* Now, not before: while we waited for the lock the source may have been replaced. */
static int
run(struct listcdb *l, const char *(*flaw)(struct span entry))
{
	int fd, code;

	if (access(buf_str(&l->source), R_OK) == -1)
		return complain(l, "read", buf_str(&l->source));
	if ((fd = rebuild_begin(buf_str(&l->temporary), 0644)) == -1)
		return complain(l, "create", buf_str(&l->temporary));
	if ((code = build(l, fd)) == CODE_OK)
		warn_of_lines(l, flaw);
	return code;
}

static void
name_file(struct buf *path, const char *name, const char *end)
{
	buf_adds(path, "control/");
	buf_adds(path, name);
	buf_adds(path, end);
}

int
listcdb_main(const char *program, const char *name, const char *(*flaw)(struct span entry))
{
	struct listcdb l = { .program = program, .name = name };
	int code;

	(void)umask(033);
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1)
		return complain(&l, "enter", QMAIL_HOME);
	name_file(&l.source, name, "");
	name_file(&l.temporary, name, ".tmp");
	name_file(&l.result, name, ".cdb");
	if (!buf_ok(&l.source) || !buf_ok(&l.temporary) || !buf_ok(&l.result)) {
		errno = ENOMEM;
		code = complain(&l, "name", name);
	} else {
		code = run(&l, flaw);
	}
	buf_free(&l.source);
	buf_free(&l.temporary);
	buf_free(&l.result);
	buf_free(&l.list);
	return code;
}
