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

void
greyday_note(const struct greyday_dir *d, const char *name)
{
	if (d->trouble->name[0])
		return;
	(void)snprintf(d->trouble->name, sizeof d->trouble->name, "%s", name);
	d->trouble->error = errno;
}

static void
note_day(const struct greyday_dir *d, int64_t day, const char *suffix)
{
	char name[GREYSTORE_NAME];

	(void)snprintf(name, sizeof name, "%lld.%s", (long long)day, suffix);
	greyday_note(d, name);
}

/* This file of the day has failed us: noted, and, if what is in it is the reason, out of the way,
 * so that it is told once. */
static void
give_up(const struct greyday_dir *d, int64_t day, const char *suffix)
{
	bool first = !d->trouble->name[0], damaged = errno == EPROTO || errno == EIO;
	char from[GREYDAY_PATH], to[GREYDAY_PATH];

	note_day(d, day, suffix);
	if (damaged && day_path(d, from, day, suffix) == 0 && day_path(d, to, day, "bad") == 0 &&
	    rename(from, to) == 0 && first)
		d->trouble->moved = true;
}

/* ---- finding ---- */

bool
greyday_find(const struct greyday_dir *d, int64_t day, struct greyfile_record *r)
{
	static const struct {
		const char *suffix;
		int (*find)(const char *path, struct greyfile_record *r);
	} files[] = { { "log", greyfile_find_in_log }, { "cdb", greyfile_find_in_map } };
	char path[GREYDAY_PATH];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int found = day_path(d, path, day, files[i].suffix);

		if (found == 0)
			found = files[i].find(path, r);
		if (found == 1)
			return true;
		if (found == -1)
			give_up(d, day, files[i].suffix);
	}
	return false;
}

/* ---- from log to database ---- */

/* The database is in its place before the log goes, so a kill in between repeats, and loses
 * nothing. */
static int
merge_log(const struct greyday_dir *d, int64_t day, const struct buf *log)
{
	char log_path[GREYDAY_PATH], map_path[GREYDAY_PATH], new_path[GREYDAY_PATH];
	bool old_failed;
	int fd, rc;

	if (day_path(d, log_path, day, "log") == -1 || day_path(d, map_path, day, "cdb") == -1 ||
	    greyday_path(d, new_path, "new") == -1)
		return -1;
	(void)unlink(new_path);
	fd = open(new_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	rc = greyfile_write_map(fd, log, map_path, &old_failed);
	if (old_failed)
		give_up(d, day, "cdb");
	if (close(fd) == -1)
		rc = -1;
	if (rc == 0 && (rc = rename(new_path, map_path)) == 0)
		rc = unlink(log_path);
	return rc;
}

/* What fails is noted, and tried again the next time. */
static void
merge(const struct greyday_dir *d, int64_t day)
{
	char path[GREYDAY_PATH];
	struct buf log = { 0 };

	if (day_path(d, path, day, "log") == -1 || greyfile_read_log(path, &log) == -1)
		give_up(d, day, "log");
	else if (merge_log(d, day, &log) == -1)
		note_day(d, day, "cdb");
	buf_free(&log);
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
	int fd, rc = -1, error;

	if (day_path(d, path, day, "log") == -1)
		return -1;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0) {
		*size = st.st_size;
		rc = write_record(fd, st.st_size, r);
	}
	error = errno;
	if (close(fd) == 0)
		errno = error;
	else
		rc = -1;
	return rc;
}

int
greyday_append(const struct greyday_dir *d, int64_t day, const struct greyfile_record *r,
    bool *is_new)
{
	off_t size;
	bool has_map;

	if (check_day(d, day, &has_map) == -1) {
		note_day(d, day, "cdb");
		return -1;
	}
	if (append_log(d, day, r, &size) == -1) {
		note_day(d, day, "log");
		return -1;
	}
	*is_new = size == 0 && !has_map;
	if (size + GREYSTORE_RECORD >= (off_t)GREYSTORE_LOG_MAX)
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
			note_day(d, day, suffixes[i]);
}

void
greyday_tidy(const struct greyday_dir *d, int64_t today, int64_t oldest, size_t keep)
{
	struct buf list = { 0 };
	const struct day_file *files;
	int64_t last;
	size_t n;

	if (list_days(d->path, &list) == -1) {
		greyday_note(d, ".");
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
