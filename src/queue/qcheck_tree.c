/* qcheck_tree - directories, lock files, split. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "queue/qcheck.h"
#include "queue/tcpto.h"

#define TCPTO_SIZE (TCPTO_RECORDS * TCPTO_RECORD_SIZE)
#define TCPTO6_SIZE (TCPTO_RECORDS * TCPTO6_RECORD_SIZE)

/* ---- split ---- */

/* How many directories have a number for a name, and one more than the largest. */
static int
count_subs(struct qcheck *c, enum qdir dir, uint64_t *count, uint64_t *end)
{
	struct buf names = BUF_CAP(SIZE_MAX / 2);
	char path[QCHECK_PATH_SIZE];
	struct stat st;
	uint64_t sub;
	int r = 0;

	*count = *end = 0;
	if (qcheck_names(qlayout_name(dir), &names) == -1)
		r = qcheck_trouble(c, "read", qlayout_name(dir));
	for (size_t i = 0; r == 0 && i < names.n; i += strlen(names.p + i) + 1) {
		if (!qcheck_number(names.p + i, &sub) || sub >= QUEUE_SPLIT_MAX)
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", qlayout_name(dir), names.p + i);
		if (lstat(path, &st) == -1 || !S_ISDIR(st.st_mode))
			continue;
		++*count;
		if (sub >= *end)
			*end = sub + 1;
	}
	buf_free(&names);
	return r;
}

/* Files without a text are garbage only if all texts can be seen: no directory of mess is missing,
 * as it would be in a queue that is mounted in parts or half restored. */
int
qcheck_tree_split(struct qcheck *c)
{
	uint64_t count, end, info_count, info_end;
	unsigned wanted = c->set.split ? c->set.split : QUEUE_SPLIT;
	struct stat st;

	if (lstat(qlayout_name(Q_MESS), &st) == -1)
		return qcheck_trouble(c, "find a queue here: look at", qlayout_name(Q_MESS));
	if (count_subs(c, Q_MESS, &count, &end) == -1 ||
	    count_subs(c, Q_INFO, &info_count, &info_end) == -1)
		return -1;
	c->q.split = wanted;
	c->whole = count > 0 && count == end && end == info_end;
	if (c->set.split || !c->whole || end == wanted)
		return 0;
	if (c->set.repair) {
		errno = 0;
		return qcheck_trouble(c, "repair with another split than the queue has (say with "
		    "-s which it shall have):", qlayout_name(Q_MESS));
	}
	qcheck_report(c, QFIX_HAND, QCHECK_OPEN, qlayout_name(Q_MESS),
	    "put the former number into conf-split and build anew, or change the queue with -r -s",
	    "is split into %ju directories, programs expect %u", (uintmax_t)end, wanted);
	c->q.split = (unsigned)end;
	return 0;
}

/* ---- directories ---- */

static void
make_directory(struct qcheck *c, const char *path, enum qdir dir)
{
	enum qcheck_outcome o = QCHECK_OPEN;

	if (qcheck_may(c, QFIX_CREATE))
		o = qcheck_outcome(mkdir(path, 0700) == 0 ?
		    qcheck_own(c, path, qlayout_owner(dir), qlayout_dir_mode(dir)) : -1);
	qcheck_report(c, QFIX_CREATE, o, path, "make the directory", "is missing");
}

static void
check_directory(struct qcheck *c, const char *path, enum qdir dir)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		make_directory(c, path, dir);
	else if (S_ISDIR(st.st_mode))
		qcheck_ownership(c, path, &st, qlayout_owner(dir), qlayout_dir_mode(dir), false);
	else
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, path,
		    "put the real directory in its place", "is %s, not a directory",
		    qcheck_type(st.st_mode));
}

static void
check_directories(struct qcheck *c, enum qdir dir)
{
	char path[QLAYOUT_PATH_SIZE];

	check_directory(c, qlayout_name(dir), dir);
	for (uint64_t sub = 0; qlayout_is_split(&c->q, dir) && sub < c->q.split; sub++)
		check_directory(c, qlayout_dir_of(&c->q, path, dir, sub), dir);
}

static int
find_extra(struct qcheck *c, enum qdir dir, const char *name)
{
	const unsigned split = qlayout_is_split(&c->q, dir) ? c->q.split : 0;
	enum qcheck_outcome o = QCHECK_OPEN;
	char path[QCHECK_PATH_SIZE];
	struct stat st;
	uint64_t sub;

	if (!qcheck_number(name, &sub) || sub < split)
		return 0;
	(void)snprintf(path, sizeof path, "%s/%s", qlayout_name(dir), name);
	if (lstat(path, &st) == -1 || !S_ISDIR(st.st_mode))
		return 0;
	if (qcheck_may(c, QFIX_REMOVE))
		o = qcheck_outcome(rmdir(path));
	if (split)
		qcheck_report(c, QFIX_REMOVE, o, path, "remove it if it is empty",
		    "does not belong to a queue that is split by %u", split);
	else
		qcheck_report(c, QFIX_REMOVE, o, path, "remove it if it is empty",
		    "is a directory, but in this queue %s is not split", qlayout_name(dir));
	return 0;
}

/* Calls each(c, dir, name) for all names of a directory. */
static int
each_name(struct qcheck *c, enum qdir dir, const char *path,
    int (*each)(struct qcheck *c, enum qdir dir, const char *name))
{
	struct buf names = BUF_CAP(SIZE_MAX / 2);
	int r = 0;

	if (qcheck_names(path, &names) == -1)
		r = qcheck_trouble(c, "read", path);
	for (size_t i = 0; r == 0 && i < names.n; i += strlen(names.p + i) + 1)
		r = each(c, dir, names.p + i);
	buf_free(&names);
	return r;
}

int
qcheck_tree_extra(struct qcheck *c)
{
	int r = 0;

	for (int dir = 0; r == 0 && dir < Q_DIRS; dir++)
		if (qcheck_splittable((enum qdir)dir))
			r = each_name(c, (enum qdir)dir, qlayout_name((enum qdir)dir), find_extra);
	return r;
}

/* ---- what is beside them ---- */

static void
foreign(struct qcheck *c, const char *path)
{
	qcheck_report(c, QFIX_HAND, QCHECK_OPEN, path, "remove it if nobody needs it",
	    "is not part of a queue; it does no harm");
}

/* Queue tools keep messages that were taken out in `yanked`, and marks in `hold`. */
static int
look_beside(struct qcheck *c, enum qdir dir, const char *name)
{
	static const char *const known[] = { "yanked", "hold" };

	(void)dir;
	for (int d = 0; d < Q_DIRS; d++)
		if (strcmp(name, qlayout_name((enum qdir)d)) == 0)
			return 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(name, known[i]) == 0)
			return 0;
	foreign(c, name);
	return 0;
}

static int
look_beside_locks(struct qcheck *c, enum qdir dir, const char *name)
{
	static const char *const known[] = { "sendmutex", "trigger", TCPTO_FILE, TCPTO6_FILE,
		"control" };
	char path[QCHECK_PATH_SIZE];

	(void)dir;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(name, known[i]) == 0)
			return 0;
	(void)snprintf(path, sizeof path, "%s/%s", qlayout_name(Q_LOCK), name);
	foreign(c, path);
	return 0;
}

/* ---- lock ---- */

struct special {
	const char *path, *owner;
	mode_t type, mode;
	off_t size;
	bool optional;
};

static int
create_special(const struct qcheck *c, const struct special *s)
{
	int fd, r;

	if (s->type == S_IFIFO) {
		if (mkfifo(s->path, 0600) == -1)
			return -1;
		return qcheck_own(c, s->path, s->owner, s->mode);
	}
	if ((fd = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) == -1)
		return -1;
	r = ftruncate(fd, s->size);
	(void)close(fd);
	return r == 0 ? qcheck_own(c, s->path, s->owner, s->mode) : -1;
}

/* Zeros at the end are free records; what is there stays, other programs may have it open. */
static void
check_size(struct qcheck *c, const struct special *s, const struct stat *st)
{
	enum qcheck_outcome o = QCHECK_OPEN;

	if (st->st_size == s->size)
		return;
	if (st->st_size > s->size) {
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, s->path,
		    "cut it while no program of the mail system runs",
		    "has %jd bytes instead of %jd", (intmax_t)st->st_size, (intmax_t)s->size);
		return;
	}
	if (qcheck_may(c, QFIX_CREATE))
		o = qcheck_outcome(truncate(s->path, s->size));
	qcheck_report(c, QFIX_CREATE, o, s->path, "fill it up with zeros",
	    "has %jd bytes instead of %jd", (intmax_t)st->st_size, (intmax_t)s->size);
}

static void
make_special(struct qcheck *c, const struct special *s)
{
	enum qcheck_outcome o = QCHECK_OPEN;

	if (qcheck_may(c, QFIX_CREATE))
		o = qcheck_outcome(create_special(c, s));
	qcheck_report(c, QFIX_CREATE, o, s->path, "create it", "is missing");
}

static void
check_special(struct qcheck *c, const struct special *s)
{
	struct stat st;

	if (lstat(s->path, &st) == -1) {
		if (!s->optional)
			make_special(c, s);
		return;
	}
	if ((st.st_mode & S_IFMT) != s->type) {
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, s->path, "remove it, then run -r",
		    "is %s, not %s", qcheck_type(st.st_mode), qcheck_type(s->type));
		return;
	}
	qcheck_ownership(c, s->path, &st, s->owner, s->mode, false);
	if (s->type == S_IFREG)
		check_size(c, s, &st);
}

/* ---- file systems ---- */

static void
check_device(struct qcheck *c, const char *a, const char *b)
{
	struct stat sa, sb;

	if (stat(a, &sa) == -1 || stat(b, &sb) == -1 || sa.st_dev == sb.st_dev)
		return;
	c->whole = false;
	qcheck_report(c, QFIX_HAND, QCHECK_OPEN, b, "put both on one file system",
	    "is on another file system than %s: no message can be queued", a);
}

int
qcheck_tree(struct qcheck *c)
{
	static const struct special specials[] = {
		{ QLAYOUT_MUTEX, USER_SEND, S_IFREG, 0600, 0, false },
		{ QLAYOUT_TRIGGER, USER_SEND, S_IFIFO, 0622, 0, false },
		{ "lock/" TCPTO_FILE, USER_REMOTE, S_IFREG, 0644, TCPTO_SIZE, false },
		{ "lock/" TCPTO6_FILE, USER_REMOTE, S_IFREG, 0644, TCPTO6_SIZE, true },
	};

	check_directory(c, ".", Q_MESS);
	for (int dir = 0; dir < Q_DIRS; dir++)
		check_directories(c, (enum qdir)dir);
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
		check_special(c, &specials[i]);
	check_device(c, "pid", "mess/0");
	check_device(c, "intd", "todo");
	if (each_name(c, Q_LOCK, ".", look_beside) == -1)
		return -1;
	return each_name(c, Q_LOCK, qlayout_name(Q_LOCK), look_beside_locks);
}
