/* setup - install the built suite into the home directory, or bring an installed one up to date.
 * Usage: setup [--files | --owners] BUILD [queue-only]
 * Run by: `make setup`, as root; `--files` (everything but ownership) as anybody.
 * Environment: DESTDIR is put before the home directory.  fd 1: nothing.  fd 2: errors.
 * Exit: 0; 100 called wrongly; 111 anything else, with a line that says what.
 * Live queues, the FIFO and the lock file are kept as they are; running programs go on with their
 * old file, because new ones are renamed into place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "install/hier.h"
#include "install/takeover.h"
#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/progpath.h"

struct setup {
	const char *destdir;
	const char *build;
	bool files, owners, queue_only;
	struct hier_ids ids;
};

static int
fatal(const char *what, const char *path)
{
	int error = errno;

	fprintf(stderr, "install: fatal: unable to %s %s: %s\n", what, path, errtext(error));
	return CODE_TEMP;
}

/* The place on this host: DESTDIR, home, path. */
static int
target_path(const struct setup *s, const char *path, struct buf *to)
{
	buf_reset(to);
	buf_adds(to, s->destdir);
	buf_adds(to, QMAIL_HOME);
	if (*path)
		buf_addc(to, '/');
	buf_adds(to, path);
	if (buf_ok(to))
		return 0;
	errno = ENOMEM;
	return -1;
}

/* Owner first: chown takes the set-uid bit away. */
static int
set_owner_and_mode(const struct setup *s, const struct hier_item *item, int fd, const char *path)
{
	if (s->owners && fchown(fd, s->ids.owner[item->owner], s->ids.group) == -1)
		return fatal("chown", path);
	if (fchmod(fd, s->owners ? hier_mode(&s->ids, item) : item->mode) == -1)
		return fatal("chmod", path);
	return 0;
}

static int
make_parents(const struct setup *s)
{
	struct buf path = { 0 };
	int code = 0;

	if (target_path(s, "", &path) == -1)
		return fatal("mkdir", QMAIL_HOME);
	for (size_t i = 1; code == 0 && i < path.n; i++) {
		if (path.p[i] != '/')
			continue;
		path.p[i] = '\0';
		if (mkdir(path.p, 0700) == -1 ? errno != EEXIST : chmod(path.p, 0755) == -1)
			code = fatal("mkdir", path.p);
		path.p[i] = '/';
	}
	buf_free(&path);
	return code;
}

/* The queue belongs to other accounts: a link that one of them put there must not lead root to some
 * other file.  The queue itself may be one, as may be what root owns. */
static int
nofollow(const struct hier_item *item)
{
	return item->in_queue && strcmp(item->path, "queue") != 0 ? O_NOFOLLOW : 0;
}

static int
open_existing(const struct hier_item *item, const char *path)
{
	int flags = item->kind == HIER_DIR ? O_DIRECTORY : O_NONBLOCK;

	return open(path, O_RDONLY | O_CLOEXEC | flags | nofollow(item));
}

static int
own(const struct setup *s, const struct hier_item *item, const char *path)
{
	int code, fd = open_existing(item, path);

	if (fd == -1)
		return fatal("open", path);
	code = set_owner_and_mode(s, item, fd, path);
	(void)close(fd);
	return code;
}

/* Under a name of its own until it is whole, so that no one ever runs half a program. */
static int
install_file(const struct setup *s, const struct hier_item *item, const char *path)
{
	char from[HIER_PATH_SIZE];
	struct buf part = { 0 };
	int code = CODE_TEMP, in = -1, out = -1;

	(void)snprintf(from, sizeof from, "%s/%s", s->build, item->source);
	buf_adds(&part, path);
	buf_adds(&part, ".new");
	if ((in = open(from, O_RDONLY | O_CLOEXEC)) == -1) {
		code = fatal("read", from);
		goto out;
	}
	(void)unlink(buf_str(&part));	/* of an installation that was cut short */
	if (!buf_ok(&part) || (out = fsops_create(buf_str(&part), 0600)) == -1 ||
	    io_copy(in, out) != IO_COPIED) {
		code = fatal("write", path);
		goto out;
	}
	if ((code = set_owner_and_mode(s, item, out, path)) != 0)
		goto out;
	if (fsops_publish(out, buf_str(&part), path) == -1)
		code = fatal("write", path);
	out = -1;
out:
	if (in != -1)
		(void)close(in);
	if (out != -1) {
		(void)close(out);
		(void)unlink(buf_str(&part));
	}
	buf_free(&part);
	return code;
}

/* A file of this size is left alone: it may be locked or in use. */
static int
make_zeros(const struct hier_item *item, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | nofollow(item), 0600);
	struct stat st;
	int code = 0;

	if (fd == -1 || fstat(fd, &st) == -1 ||
	    (st.st_size != item->size && ftruncate(fd, 0) == -1) ||
	    (st.st_size != item->size && ftruncate(fd, item->size) == -1) || fsops_sync(fd) == -1)
		code = fatal("write", path);
	if (fd != -1)
		(void)close(fd);
	return code;
}

static int
make_files(const struct setup *s, const struct hier_item *item, const char *path)
{
	switch (item->kind) {
	case HIER_DIR:
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return fatal("mkdir", path);
		return own(s, item, path);
	case HIER_FILE:
		return install_file(s, item, path);
	case HIER_ZEROS:
		if (make_zeros(item, path) != 0)
			return CODE_TEMP;
		return own(s, item, path);
	case HIER_FIFO:
		if (mkfifo(path, 0600) == -1 && errno != EEXIST)
			return fatal("mkfifo", path);
		return own(s, item, path);
	}
	return CODE_TEMP;
}

static int
visit(void *arg, const struct hier_item *item)
{
	const struct setup *s = arg;
	struct buf path = { 0 };
	int code;

	if (target_path(s, item->path, &path) == -1)
		return fatal("write", item->path);
	code = s->files ? make_files(s, item, buf_str(&path)) : own(s, item, buf_str(&path));
	buf_free(&path);
	return code;
}

/* Only giving away what is there (--owners) may meet any owner. */
static int
check_queue(const struct setup *s)
{
	struct buf why = { 0 };
	int code = 0;

	if (takeover_check(s->destdir, s->files && s->owners ? &s->ids : NULL, &why) == -1) {
		fprintf(stderr, "install: fatal: %s\n", buf_str(&why));
		code = CODE_TEMP;
	}
	buf_free(&why);
	return code;
}

/* Run scripts look into HOME/bin first, and say `checkpassword`: who checks passwords there would
 * change without a word.  With a first installation alone; later it is ours already. */
static void
warn_checker(const struct setup *s)
{
	struct buf path = { 0 };

	if (!*s->destdir && s->files && !s->queue_only &&
	    access(QMAIL_HOME "/bin/checkpassword", F_OK) == -1 &&
	    progpath_find("checkpassword", &path))
		fprintf(stderr, "install: warning: %s is this host's checkpassword; where "
		    QMAIL_HOME "/bin comes first in PATH the one there will check passwords: "
		    "name the other with its directory where it is to go on\n", buf_str(&path));
	buf_free(&path);
}

static int
find_accounts(struct setup *s)
{
	const char *missing;
	bool is_group;

	if (!s->owners || hier_ids(&s->ids, &missing, &is_group) == 0)
		return 0;
	fprintf(stderr, "fatal: unable to find %s %s\n", is_group ? "group" : "user", missing);
	fprintf(stderr, "create it, and what else is missing, with: %s/bin/accounts\n", s->build);
	return CODE_TEMP;
}

static int
usage(void)
{
	fputs("usage: setup [--files | --owners] BUILD [queue-only]\n", stderr);
	return CODE_PERM;
}

int
main(int argc, char **argv)
{
	const char *destdir = getenv("DESTDIR");
	struct setup s = { .destdir = destdir ? destdir : "", .files = true, .owners = true };
	int code, arg = 1;

	if (arg < argc && strcmp(argv[arg], "--files") == 0)
		s.owners = false, arg++;
	else if (arg < argc && strcmp(argv[arg], "--owners") == 0)
		s.files = false, arg++;
	if (arg >= argc || argc - arg > 2)
		return usage();
	s.build = argv[arg++];
	if (arg < argc && strcmp(argv[arg], "queue-only") != 0)
		return usage();
	s.queue_only = arg < argc;
	umask(077);
	if ((code = find_accounts(&s)) || (code = check_queue(&s)) || (code = make_parents(&s)))
		return code;
	warn_checker(&s);
	code = hier_walk(s.build, s.queue_only, visit, &s);
	return code == -1 ? fatal("read", s.build) : code;
}
