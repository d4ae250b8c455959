/* qlayout - the queue directory: names, split, modes. */
#include "queue/qlayout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/fsops.h"
#include "lib/journal.h"
#include "lib/num.h"

#define SHARED_MODE 0644	/* for qmails and qmailr: neither owner nor in the group */
#define PRIVATE_MODE 0600

enum split { FLAT, SPLIT, BIG_TODO };	/* BIG_TODO: split in a queue of that layout */

static const struct {
	const char *name;
	enum split split;
	const char *owner;
	mode_t mode, file_mode;
} dirs[Q_DIRS] = {
	[Q_PID] = { "pid", FLAT, USER_QUEUE, 0700, SHARED_MODE },
	[Q_MESS] = { "mess", SPLIT, USER_QUEUE, 0750, SHARED_MODE },
	[Q_INTD] = { "intd", BIG_TODO, USER_QUEUE, 0700, SHARED_MODE },
	[Q_TODO] = { "todo", BIG_TODO, USER_QUEUE, 0750, SHARED_MODE },
	[Q_INFO] = { "info", SPLIT, USER_SEND, 0700, PRIVATE_MODE },
	[Q_LOCAL] = { "local", SPLIT, USER_SEND, 0700, PRIVATE_MODE },
	[Q_REMOTE] = { "remote", SPLIT, USER_SEND, 0700, PRIVATE_MODE },
	[Q_BOUNCE] = { "bounce", FLAT, USER_SEND, 0700, PRIVATE_MODE },
	[Q_LOCK] = { "lock", FLAT, USER_QUEUE, 0750, PRIVATE_MODE }
};

_Static_assert(sizeof "remote/65000/" + NUM_U64_SIZE <= QLAYOUT_PATH_SIZE, "paths fit");
_Static_assert(sizeof "pid/...99" + 2 * NUM_U64_SIZE <= QLAYOUT_PATH_SIZE, "pid names fit");

int
qlayout_detect(struct qlayout *q)
{
	struct stat st;

	q->split = QUEUE_SPLIT;
	q->one_journal = false;
	if (stat("todo/0", &st) == 0)
		q->big_todo = S_ISDIR(st.st_mode);
	else if (errno == ENOENT || errno == ENOTDIR)
		q->big_todo = false;
	else
		return -1;
	return 0;
}

const char *
qlayout_name(enum qdir dir)
{
	return dirs[dir].name;
}

mode_t
qlayout_dir_mode(enum qdir dir)
{
	return dirs[dir].mode;
}

mode_t
qlayout_file_mode(enum qdir dir)
{
	return dirs[dir].file_mode;
}

const char *
qlayout_owner(enum qdir dir)
{
	return dirs[dir].owner;
}

bool
qlayout_is_split(const struct qlayout *q, enum qdir dir)
{
	return dirs[dir].split == SPLIT || (dirs[dir].split == BIG_TODO && q->big_todo);
}

static unsigned
split_of(const struct qlayout *q)
{
	return q->split ? q->split : QUEUE_SPLIT;
}

/* Puts `name` or `name/sub` into out; the directory of subdirectory `sub`. */
static size_t
add_dir(const struct qlayout *q, char *out, enum qdir dir, uint64_t sub)
{
	size_t n = strlen(dirs[dir].name);

	memcpy(out, dirs[dir].name, n + 1);
	if (qlayout_is_split(q, dir)) {
		out[n++] = '/';
		n += num_format(out + n, sub);
	}
	return n;
}

char *
qlayout_dir_of(const struct qlayout *q, char *out, enum qdir dir, uint64_t id)
{
	(void)add_dir(q, out, dir, id % split_of(q));
	return out;
}

char *
qlayout_path(const struct qlayout *q, char *out, enum qdir dir, uint64_t id)
{
	size_t n = add_dir(q, out, dir, id % split_of(q));

	out[n++] = '/';
	(void)num_format(out + n, id);
	return out;
}

char *
qlayout_pid_path(char *out, pid_t pid, int64_t start, unsigned k)
{
	(void)snprintf(out, QLAYOUT_PATH_SIZE, "%s/%ju.%jd.%u", dirs[Q_PID].name, (uintmax_t)pid,
	    (intmax_t)start, k % 100);
	return out;
}

bool
qlayout_parse_id(struct span name, uint64_t *id)
{
	return num_parse_u64(name.p, name.n, UINT64_MAX, id) == NUM_OK;
}

/* ---- is it the queue we were built for? ---- */

enum place { PLACE_ABSENT, PLACE_DIRECTORY, PLACE_HIDDEN, PLACE_WRONG };

static enum place
look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? PLACE_DIRECTORY : PLACE_WRONG;
	return errno == ENOENT ? PLACE_ABSENT : errno == EACCES ? PLACE_HIDDEN : PLACE_WRONG;
}

static bool
same_device(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev;
}

static bool
split_matches(const struct qlayout *q, enum qdir dir)
{
	char path[QLAYOUT_PATH_SIZE];

	for (uint64_t sub = 0; sub < split_of(q); sub++) {
		(void)add_dir(q, path, dir, sub);
		switch (look_at(path)) {
		case PLACE_DIRECTORY:
			break;
		case PLACE_HIDDEN:	/* another account's; so are its files */
			return true;
		default:
			return false;
		}
	}
	(void)add_dir(q, path, dir, split_of(q));
	return look_at(path) == PLACE_ABSENT;
}

const char *
qlayout_verify(const struct qlayout *q)
{
	static const enum qdir split[] = { Q_MESS, Q_INFO, Q_LOCAL, Q_REMOTE, Q_TODO, Q_INTD };

	for (size_t i = 0; i < sizeof split / sizeof *split; i++)
		if (qlayout_is_split(q, split[i]) && !split_matches(q, split[i]))
			return "the queue is split in another way than this program";
	for (int dir = 0; dir < Q_DIRS; dir++)
		if (look_at(dirs[dir].name) != PLACE_DIRECTORY)
			return "a directory of the queue is missing";
	if (!same_device("pid", "mess/0"))
		return "queue/pid and queue/mess are on different devices";
	if (!same_device("intd", "todo"))
		return "queue/intd and queue/todo are on different devices";
	return NULL;
}

/* Nothing else is mounted in the directory or in a subdirectory that can be searched. */
static bool
all_on_device(const struct qlayout *q, enum qdir dir, dev_t device)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	if (stat(dirs[dir].name, &st) == -1 || st.st_dev != device)
		return false;
	for (uint64_t sub = 0; qlayout_is_split(q, dir) && sub < split_of(q); sub++)
		if (stat(qlayout_dir_of(q, path, dir, sub), &st) == -1 ? errno != EACCES :
		    st.st_dev != device)
			return false;
	return true;
}

void
qlayout_detect_journal(struct qlayout *q)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return;
	q->one_journal = fstat(fd, &st) == 0 && journal_keeps_order(fd);
	for (int dir = 0; dir < Q_DIRS; dir++)
		q->one_journal = q->one_journal && all_on_device(q, (enum qdir)dir, st.st_dev);
	(void)close(fd);	/* opened for reading: nothing to lose */
}

/* ---- one file ---- */

int
qlayout_create(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	return fsops_create(qlayout_path(q, path, dir, id), dirs[dir].file_mode);
}

int
qlayout_open_read(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	return fsops_open_read(qlayout_path(q, path, dir, id));
}

int
qlayout_open_update(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	return open(qlayout_path(q, path, dir, id), O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

int
qlayout_open_write(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	return open(qlayout_path(q, path, dir, id), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

int
qlayout_exists(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	if (stat(qlayout_path(q, path, dir, id), &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

int
qlayout_remove(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	int error = errno;

	if (unlink(qlayout_path(q, path, dir, id)) == -1 && errno != ENOENT)
		return -1;
	errno = error;
	return 0;
}

int
qlayout_sync_dir(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	return fsops_sync_dir(qlayout_dir_of(q, path, dir, id));
}

/* ---- all files of a directory ---- */

void
qlayout_scan_start(struct qlayout_scan *s, const struct qlayout *q, enum qdir dir)
{
	*s = (struct qlayout_scan){ .q = q, .dir = dir };
}

static void
scan_failed(struct qlayout_scan *s, uint64_t sub)
{
	if (s->failed)
		return;		/* the first is told */
	s->error = errno;
	s->failed = true;
	(void)add_dir(s->q, s->failed_dir, s->dir, sub);
}

/* Opens the next subdirectory that can be opened; false: no more. */
static bool
scan_open(struct qlayout_scan *s)
{
	unsigned last = qlayout_is_split(s->q, s->dir) ? split_of(s->q) : 1;
	char path[QLAYOUT_PATH_SIZE];

	while (!s->stream && s->sub < last) {
		(void)add_dir(s->q, path, s->dir, s->sub);
		if (!(s->stream = opendir(path)))
			scan_failed(s, s->sub);
		s->sub++;
	}
	return s->stream != NULL;
}

static void
scan_close(struct qlayout_scan *s)
{
	if (s->stream)
		(void)closedir(s->stream);
	s->stream = NULL;
}

/* Is the name a number, written our way, that belongs into the subdirectory being read? */
static bool
scan_accepts(const struct qlayout_scan *s, const char *name, uint64_t *id)
{
	return qlayout_parse_id(span_str(name), id) && (name[0] != '0' || name[1] == '\0') &&
	    (!qlayout_is_split(s->q, s->dir) || *id % split_of(s->q) == s->sub - 1);
}

int
qlayout_scan_next(struct qlayout_scan *s, uint64_t *id)
{
	while (!s->done) {
		const struct dirent *entry;

		if (!scan_open(s)) {
			s->done = true;
			break;
		}
		errno = 0;
		if ((entry = readdir(s->stream)) == NULL) {
			if (errno)
				scan_failed(s, s->sub - 1);
			scan_close(s);
		} else if (scan_accepts(s, entry->d_name, id)) {
			return 1;
		}
	}
	return 0;
}

void
qlayout_scan_stop(struct qlayout_scan *s)
{
	scan_close(s);
	s->done = true;
}

int64_t
qlayout_old_at(const struct stat *st)
{
	int64_t latest = st->st_atime;

	if (st->st_mtime > latest)
		latest = st->st_mtime;
	if (st->st_ctime > latest)
		latest = st->st_ctime;
	return latest > INT64_MAX - QLAYOUT_SWEEP_AGE_S - 1 ? INT64_MAX :
	    latest + QLAYOUT_SWEEP_AGE_S + 1;
}

bool
qlayout_is_old(const struct stat *st, int64_t now)
{
	return now >= qlayout_old_at(st);
}
