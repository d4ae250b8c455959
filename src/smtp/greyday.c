/* greyday - the files of one day in a greystore. */
#include "smtp/greyday.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/num.h"

#define DAY_FILES_MAX ((size_t)4096)	/* that are looked at, to find what is old */

/* ---- names ---- */

int
greyday_path(const struct greyday_dir *d, char path[GREYDAY_PATH], const char *name)
{
	int n = snprintf(path, GREYDAY_PATH, "%s/%s", d->path, name);

	if (n >= 0 && n < GREYDAY_PATH)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* `20778.log` and so on. */
static int
day_path(const struct greyday_dir *d, char path[GREYDAY_PATH], int64_t day, const char *suffix)
{
	char name[64];

	(void)snprintf(name, sizeof name, "%lld.%s", (long long)day, suffix);
	return greyday_path(d, path, name);
}

/* ---- trouble ---- */

static void
note(const struct greyday_dir *d, const char *name, enum greystore_effect effect, bool moved)
{
	struct greystore_trouble *trouble = d->trouble;

	if (trouble->name[0] && trouble->effect >= effect)
		return;
	(void)snprintf(trouble->name, sizeof trouble->name, "%s", name);
	trouble->error = errno;
	trouble->effect = effect;
	trouble->moved = moved;
}

void
greyday_note(const struct greyday_dir *d, const char *name, enum greystore_effect effect)
{
	note(d, name, effect, false);
}

static void
note_day(const struct greyday_dir *d, int64_t day, const char *suffix,
    enum greystore_effect effect, bool moved)
{
	char name[GREYSTORE_NAME];

	(void)snprintf(name, sizeof name, "%lld.%s", (long long)day, suffix);
	note(d, name, effect, moved);
}

/* This file of the day has failed us: noted, and, if what is in it is the reason, out of the way,
 * so that it is told once.  errno stays.  true: it is out of the way. */
static bool
give_up(const struct greyday_dir *d, int64_t day, const char *suffix, enum greystore_effect effect)
{
	char from[GREYDAY_PATH], to[GREYDAY_PATH];
	int error = errno;
	bool moved = (error == EPROTO || error == EIO) && day_path(d, from, day, suffix) == 0 &&
	    day_path(d, to, day, "bad") == 0 && rename(from, to) == 0;

	errno = error;
	note_day(d, day, suffix, moved ? GREYSTORE_FORGETS : effect, moved);
	return moved;
}

/* ---- finding ---- */

static int
find_in(const struct greyday_dir *d, int64_t day, const char *suffix, enum greystore_effect effect,
    struct greyfile_record *r)
{
	char path[GREYDAY_PATH];
	int found = day_path(d, path, day, suffix);

	if (found == 0)
		found = strcmp(suffix, "log") == 0 ? greyfile_find_in_log(path, r) :
		    greyfile_find_in_map(path, r);
	return found == -1 && give_up(d, day, suffix, effect) ? 0 : found;
}

int
greyday_find(const struct greyday_dir *d, int64_t day, bool is_today, struct greyfile_record *r)
{
	int found = find_in(d, day, "log", is_today ? GREYSTORE_STOPS : GREYSTORE_FORGETS, r);

	if (found == 1 || (found == -1 && is_today))
		return found;
	return find_in(d, day, "cdb", GREYSTORE_FORGETS, r) == 1;
}

/* ---- from log to database ---- */

/* Closes what was written: rc tells how well.  Of two reasons the first stays in errno. */
static int
end_writing(int fd, int rc)
{
	int error = errno;

	if (close(fd) == -1 && rc == 0)
		return -1;
	errno = error;
	return rc;
}

static int
write_new(const struct greyday_dir *d, int64_t day, const char *new_path, const char *map_path)
{
	char log_path[GREYDAY_PATH];
	enum greyfile_part failed;
	int fd, rc;

	if (day_path(d, log_path, day, "log") == -1)
		return -1;
	(void)unlink(new_path);
	fd = open(new_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	rc = greyfile_write_map(fd, log_path, map_path, &failed);
	if (rc == -1 && failed != GREYFILE_NEW)
		(void)give_up(d, day, failed == GREYFILE_LOG ? "log" : "cdb", GREYSTORE_UNTIDY);
	rc = end_writing(fd, rc);
	if (rc == 0 && (rc = rename(new_path, map_path)) == 0)
		rc = unlink(log_path);
	return rc;
}

/* The database is in its place before the log goes, so a kill in between repeats, and loses
 * nothing.  What fails is noted, and what was written of it goes. */
static void
merge(const struct greyday_dir *d, int64_t day)
{
	char map_path[GREYDAY_PATH], new_path[GREYDAY_PATH];

	if (day_path(d, map_path, day, "cdb") == -1 || greyday_path(d, new_path, "new") == -1) {
		note_day(d, day, "cdb", GREYSTORE_UNTIDY, false);
		return;
	}
	if (write_new(d, day, new_path, map_path) == -1) {
		note_day(d, day, "cdb", GREYSTORE_UNTIDY, false);
		(void)unlink(new_path);
	}
}

/* ---- adding ---- */

/* May something be added, and is there a database? */
static int
check_day(const struct greyday_dir *d, int64_t day, bool *is_there)
{
	char path[GREYDAY_PATH];
	struct stat st;

	*is_there = false;
	if (day_path(d, path, day, "cdb") == -1)
		return -1;
	if (stat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	*is_there = true;
	if (st.st_size < (off_t)GREYSTORE_DAY_MAX)
		return 0;
	errno = EFBIG;
	return -1;
}

/* What a full disk has left of an earlier record goes first. */
static int
write_record(int fd, off_t size, const struct greyfile_record *r)
{
	unsigned char text[GREYSTORE_RECORD];

	if (size + GREYSTORE_RECORD > (off_t)GREYFILE_LOG_MAX) {
		errno = EFBIG;
		return -1;
	}
	greyfile_encode(r, text);
	if (size % GREYSTORE_RECORD && ftruncate(fd, size - size % GREYSTORE_RECORD) == -1)
		return -1;
	return io_write_all(fd, text, sizeof text);
}

static int
append_log(const struct greyday_dir *d, int64_t day, const struct greyfile_record *r, off_t *size)
{
	char path[GREYDAY_PATH];
	struct stat st;
	int fd, rc = -1;

	if (day_path(d, path, day, "log") == -1)
		return -1;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0) {
		*size = st.st_size;
		rc = write_record(fd, st.st_size, r);
	}
	return end_writing(fd, rc);
}

/* Is a log of that size to be merged? */
static bool
is_full(size_t size)
{
	return size >= GREYSTORE_LOG_MAX && (size - GREYSTORE_LOG_MAX) % GREYSTORE_AGAIN == 0;
}

int
greyday_append(const struct greyday_dir *d, int64_t day, const struct greyfile_record *r,
    bool *is_new)
{
	off_t size;
	bool has_map;

	if (check_day(d, day, &has_map) == -1) {
		note_day(d, day, "cdb", GREYSTORE_STOPS, false);
		return -1;
	}
	if (append_log(d, day, r, &size) == -1) {
		note_day(d, day, "log", GREYSTORE_STOPS, false);
		return -1;
	}
	*is_new = size == 0 && !has_map;
	if (is_full((size_t)(size - size % GREYSTORE_RECORD) + GREYSTORE_RECORD))
		merge(d, day);
	return 0;
}

/* ---- old days ---- */

struct day_file {
	int64_t day;
	bool is_log;
};

/* `20778.log`, `20778.cdb`, `20778.bad`; false: another file. */
static bool
parse_name(const char *name, struct day_file *f)
{
	struct span text = span_str(name), suffix;
	size_t dot = span_chr(text, '.');
	uint64_t value;

	suffix = span_tail(text, dot);
	f->is_log = span_eq(suffix, span_str(".log"));
	if (!f->is_log && !span_eq(suffix, span_str(".cdb")) && !span_eq(suffix, span_str(".bad")))
		return false;
	if (num_parse_u64(name, dot, INT64_MAX, &value) != NUM_OK)
		return false;
	f->day = (int64_t)value;
	return true;
}

static int
compare_days(const void *a, const void *b)
{
	const struct day_file *x = a, *y = b;

	return (x->day < y->day) - (x->day > y->day);	/* the youngest first */
}

/* All files of days, the youngest first. */
static int
list_days(const char *path, struct buf *list)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	struct day_file f = { 0 };

	if (!dir)
		return -1;
	list->max = DAY_FILES_MAX * sizeof f;
	while ((entry = readdir(dir)))
		if (parse_name(entry->d_name, &f))
			buf_add(list, &f, sizeof f);
	(void)closedir(dir);
	if (list->n)
		qsort(list->p, list->n / sizeof f, sizeof f, compare_days);
	return 0;
}

/* The day whose predecessors may go: the keep-th that is there up to today; -1: there are fewer. */
static int64_t
last_kept(const struct day_file *files, size_t n, int64_t today, size_t keep)
{
	int64_t before = -1;

	for (size_t i = 0; i < n; i++) {
		if (files[i].day > today || files[i].day == before)
			continue;
		before = files[i].day;
		if (--keep == 0)
			return before;
	}
	return -1;
}

static void
remove_day(const struct greyday_dir *d, int64_t day)
{
	static const char *const suffixes[] = { "log", "cdb", "bad" };
	char path[GREYDAY_PATH];

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (day_path(d, path, day, suffixes[i]) == -1 ||
		    (unlink(path) == -1 && errno != ENOENT))
			note_day(d, day, suffixes[i], GREYSTORE_UNTIDY, false);
}

void
greyday_tidy(const struct greyday_dir *d, int64_t today, int64_t oldest, size_t keep)
{
	struct buf list = { 0 };
	const struct day_file *files;
	int64_t last;
	size_t n;

	if (list_days(d->path, &list) == -1) {
		greyday_note(d, ".", GREYSTORE_UNTIDY);
		return;
	}
	files = (const struct day_file *)(const void *)list.p;
	n = list.n / sizeof *files;
	last = last_kept(files, n, today, keep);
	for (size_t i = 0; i < n; i++) {
		bool is_past = files[i].day < oldest && files[i].day < last;

		if (is_past || (last != -1 && files[i].day > today + 1))
			remove_day(d, files[i].day);
		else if (files[i].is_log && files[i].day < today)
			merge(d, files[i].day);
	}
	buf_free(&list);
}
