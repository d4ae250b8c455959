/* qmail-newu - make users/cdb from users/assign.
 *
 * Run by: an administrator or a program that manages virtual domains, as root.  No arguments, no
 * environment, works in the home directory.  fd 2: one line about a failure, further lines with
 * the line number and the reason, and about what looks like a mistake.
 * Exit: 0 done, the next delivery uses it; 111 failure, users/cdb is as it was. */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "users/assign.h"
#include "lib/rebuild.h"

#define SOURCE "users/assign"
#define TEMPORARY "users/cdb.tmp"
#define TARGET "users/cdb"

struct newu {
	int from, to;
	struct assign_place place;
	struct buf warnings;
};

static int
fail(const char *what)
{
	struct buf line = { 0 };

	buf_adds(&line, "qmail-newu: fatal: ");
	buf_adds(&line, what);
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		(void)!io_write_all(2, line.p, line.n);
	buf_free(&line);
	return CODE_TEMP;
}

static int
complain(const struct newu *n, enum assign_status status)
{
	struct buf where = { 0 };

	switch (status) {
	case ASSIGN_MEMORY:
		return fail("out of memory");
	case ASSIGN_READ:
		return fail("unable to read " SOURCE);
	case ASSIGN_FORMAT:
		buf_adds(&where, "bad format in " SOURCE "\nqmail-newu: it is line ");
		buf_addnum(&where, n->place.line);
		buf_adds(&where, ": ");
		buf_adds(&where, n->place.why);
		(void)fail(buf_str(&where));
		buf_free(&where);
		return CODE_TEMP;
	default:
		return fail("unable to write " TEMPORARY);
	}
}

static int
publish(struct newu *n)
{
	enum rebuild_status status = rebuild_publish(n->to, TEMPORARY, TARGET);

	if (status == REBUILD_WRITE)
		return fail("unable to write " TEMPORARY);
	if (status == REBUILD_MOVE)
		return fail("unable to move " TEMPORARY " to " TARGET);
	n->to = -1;
	return status == REBUILD_OK ? CODE_OK : fail("unable to write users");
}

static int
build(struct newu *n)
{
	enum assign_status status = assign_build(n->from, n->to, &n->place, &n->warnings);
	int code = status == ASSIGN_OK ? publish(n) : complain(n, status);

	if (n->to != -1)
		(void)unlink(TEMPORARY);	/* ours: we hold the lock */
	if (n->warnings.n)
		(void)!io_write_all(2, n->warnings.p, n->warnings.n);
	return code;
}

int
main(void)
{
	struct newu n = { .from = -1, .to = -1 };
	int code;

	umask(033);
	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (chdir(QMAIL_HOME) == -1)
		return fail("unable to chdir");
	if (access(SOURCE, R_OK) == -1)
		return fail("unable to open " SOURCE);
	if ((n.to = rebuild_begin(TEMPORARY, 0644)) == -1)
		return fail("unable to open " TEMPORARY);
	/* Now, not before: while we waited it may have been replaced. */
	if ((n.from = fsops_open_read(SOURCE)) == -1) {
		(void)unlink(TEMPORARY);
		return fail("unable to open " SOURCE);
	}
	code = build(&n);
	buf_free(&n.warnings);
	return code;
}
