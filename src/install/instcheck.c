/* instcheck - compare an installed tree with what setup makes: type, owner, group, mode.
 * Usage: instcheck [-w] BUILD [queue-only]
 * Run by: `make check`, as root.  Environment: DESTDIR.  Silence = good; a line on fd 2 for each
 * difference.
 * Exit: 0, also after differences (with -w: 1 then); 100 called wrongly; 111 cannot look. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "install/hier.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/errtext.h"

struct check {
	const char *destdir;
	struct hier_ids ids;
	bool warned;
};

/* Files are shown as `.../bin/x`, everything else with its full name, as scripts expect. */
static void
warn(struct check *c, const struct hier_item *item, const char *what)
{
	c->warned = true;
	if (item->kind == HIER_FILE)
		fprintf(stderr, "instcheck: warning: .../%s %s\n", item->path, what);
	else
		fprintf(stderr, "instcheck: warning: %s%s%s %s\n", QMAIL_HOME,
		    *item->path ? "/" : "", item->path, what);
}

static void
warn_stat(struct check *c, const struct hier_item *item)
{
	int error = errno;

	c->warned = true;
	fprintf(stderr, "instcheck: warning: unable to stat .../%s: %s\n", item->path,
	    errtext(error));
}

static bool
right_type(enum hier_kind kind, mode_t mode)
{
	switch (kind) {
	case HIER_DIR:
		return S_ISDIR(mode);
	case HIER_FIFO:
		return S_ISFIFO(mode);
	case HIER_FILE:
	case HIER_ZEROS:
		break;
	}
	return S_ISREG(mode);
}

static int
visit(void *arg, const struct hier_item *item)
{
	struct check *c = arg;
	struct buf path = { 0 };
	struct stat st;

	buf_adds(&path, c->destdir);
	buf_adds(&path, QMAIL_HOME);
	buf_addc(&path, '/');
	buf_adds(&path, item->path);
	if (!buf_ok(&path) || stat(buf_str(&path), &st) == -1) {
		if (errno == ENOENT)
			warn(c, item, "does not exist");
		else
			warn_stat(c, item);
	} else {
		if (st.st_uid != c->ids.owner[item->owner])
			warn(c, item, "has wrong owner");
		if (st.st_gid != c->ids.group)
			warn(c, item, "has wrong group");
		if ((st.st_mode & 07777) != hier_mode(&c->ids, item))
			warn(c, item, "has wrong permissions");
		if (!right_type(item->kind, st.st_mode))
			warn(c, item, "has wrong type");
	}
	buf_free(&path);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *destdir = getenv("DESTDIR"), *missing;
	struct check c = { .destdir = destdir ? destdir : "" };
	bool is_group, exit_code = false;
	int arg = 1;

	if (arg < argc && strcmp(argv[arg], "-w") == 0)
		exit_code = true, arg++;
	if (arg >= argc || argc - arg > 2 ||
	    (argc - arg == 2 && strcmp(argv[arg + 1], "queue-only") != 0)) {
		fputs("usage: instcheck [-w] BUILD [queue-only]\n", stderr);
		return CODE_PERM;
	}
	if (hier_ids(&c.ids, &missing, &is_group) == -1) {
		fprintf(stderr, "fatal: unable to find %s %s\n", is_group ? "group" : "user",
		    missing);
		return CODE_TEMP;
	}
	if (hier_walk(argv[arg], argc - arg == 2, visit, &c) != 0) {
		fprintf(stderr, "instcheck: fatal: unable to switch to %s: %s\n", argv[arg],
		    errtext(errno));
		return CODE_TEMP;
	}
	return exit_code && c.warned ? 1 : 0;
}
