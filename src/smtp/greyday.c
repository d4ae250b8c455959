/* greyday - the files of one day in a greystore. */
#include "smtp/greyday.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/cdbmap.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/num.h"

#define TIMES (GREYSTORE_RECORD - GREYSTORE_KEY)

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

/* ---- bytes ---- */

static void
put_time(unsigned char *p, int64_t t)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)((uint64_t)t >> 8 * i);
}

static int64_t
get_time(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v > INT64_MAX ? 0 : (int64_t)v;
}

static void
encode(const struct greyday_record *r, unsigned char out[GREYSTORE_RECORD])
{
	memcpy(out, r->key, GREYSTORE_KEY);
	put_time(out + GREYSTORE_KEY, r->first);
	put_time(out + GREYSTORE_KEY + 8, r->passed);
}

static void
decode_times(const unsigned char *p, struct greyday_record *r)
{
	r->first = get_time(p);
	r->passed = get_time(p + 8);
}

/* ---- finding ---- */

/* All whole records of a log; no file: none. */
static int
read_log(const char *path, struct buf *log)
{
	int fd = fsops_open_read(path), rc = -1, error;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	log->max = 2 * GREYSTORE_LOG_MAX;
	switch (io_read_all(fd, log)) {
	case IO_OK:
		buf_cut(log, log->n - log->n % GREYSTORE_RECORD);
		rc = 0;
		break;
	case IO_TOOLONG:
		errno = EPROTO;
		break;
	default:
		break;
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return rc;
}

static const unsigned char *
record_at(const struct buf *log, size_t at)
{
	return (const unsigned char *)log->p + at;
}

static int
find_in_log(const char *path, struct greyday_record *r)
{
	struct buf log = { 0 };
	int found = read_log(path, &log);

	for (size_t at = log.n; found == 0 && at > 0; at -= GREYSTORE_RECORD) {
		const unsigned char *p = record_at(&log, at - GREYSTORE_RECORD);

		if (memcmp(p, r->key, GREYSTORE_KEY) == 0) {
			decode_times(p + GREYSTORE_KEY, r);
			found = 1;
		}
	}
	buf_free(&log);
	return found;
}

static int
find_in_map(const char *path, struct greyday_record *r)
{
	struct cdbmap *map;
	struct span data;
	int found = -1;

	switch (cdbmap_open(path, &map)) {
	case CDBMAP_ABSENT:
		return 0;
	case CDBMAP_FAILED:
		return -1;
	default:
		break;
	}
	errno = EPROTO;
	switch (cdbmap_find(map, span_of((const char *)r->key, GREYSTORE_KEY), &data)) {
	case CDBMAP_ABSENT:
		found = 0;
		break;
	case CDBMAP_FOUND:
		if (data.n == TIMES) {
			decode_times((const unsigned char *)data.p, r);
			found = 1;
		}
		break;
	default:
		break;
	}
	cdbmap_close(map);
	return found;
}

int
greyday_find(const struct greyday_dir *d, int64_t day, struct greyday_record *r)
{
	char path[GREYDAY_PATH];
	int found;

	if (day_path(d, path, day, "log") == -1)
		return -1;
	found = find_in_log(path, r);
	if (found == 0)
		found = day_path(d, path, day, "cdb") == -1 ? -1 : find_in_map(path, r);
	return found;
}

/* ---- from log to database ---- */

static int
copy_map(struct cdbmap_maker *mk, const char *path)
{
	struct cdbmap *map;
	enum cdbmap_status status;
	struct span key, data;
	unsigned pos = 0;
	int rc = 0;

	switch (cdbmap_open(path, &map)) {
	case CDBMAP_ABSENT:
		return 0;
	case CDBMAP_FAILED:
		return -1;
	default:
		break;
	}
	while (rc == 0 && (status = cdbmap_next(map, &pos, &key, &data)) == CDBMAP_FOUND)
		rc = cdbmap_make_add(mk, key, data);
	if (rc == 0 && status == CDBMAP_FAILED) {
		errno = EPROTO;
		rc = -1;
	}
	cdbmap_close(map);
	return rc;
}

/* Of equal keys the first in a cdb counts: the log backwards, then what was there. */
static int
write_map(int fd, const struct buf *log, const char *old)
{
	struct cdbmap_maker *mk = cdbmap_make(fd);
	int rc = mk ? 0 : -1;

	for (size_t at = log->n; rc == 0 && at > 0; at -= GREYSTORE_RECORD) {
		const char *p = log->p + at - GREYSTORE_RECORD;

		rc = cdbmap_make_add(mk, span_of(p, GREYSTORE_KEY),
		    span_of(p + GREYSTORE_KEY, TIMES));
	}
	if (rc == 0)
		rc = copy_map(mk, old);
	if (mk && cdbmap_make_finish(mk) == -1)
		rc = -1;
	return rc;
}

/* The database is in its place before the log goes, so a kill in between repeats, and loses
 * nothing. */
static int
merge(const struct greyday_dir *d, int64_t day)
{
	char log_path[GREYDAY_PATH], map_path[GREYDAY_PATH], new_path[GREYDAY_PATH];
	struct buf log = { 0 };
	int fd = -1, rc = -1;

	if (day_path(d, log_path, day, "log") == -1 || day_path(d, map_path, day, "cdb") == -1 ||
	    greyday_path(d, new_path, "new") == -1)
		return -1;
	if (read_log(log_path, &log) == 0) {
		(void)unlink(new_path);
		fd = open(new_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd != -1)
		rc = write_map(fd, &log, map_path);
	if (fd != -1 && close(fd) == -1)
		rc = -1;
	if (rc == 0 && (rc = rename(new_path, map_path)) == 0)
		rc = unlink(log_path);
	buf_free(&log);
	return rc;
}

/* ---- adding ---- */

static int
check_day(const struct greyday_dir *d, int64_t day)
{
	char path[GREYDAY_PATH];
	struct stat st;

	if (day_path(d, path, day, "cdb") == -1)
		return -1;
	if (stat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (st.st_size < (off_t)GREYSTORE_DAY_MAX)
		return 0;
	errno = EFBIG;
	return -1;
}

/* What a full disk has left of an earlier record goes first. */
static int
write_record(int fd, off_t size, const struct greyday_record *r)
{
	unsigned char text[GREYSTORE_RECORD];

	encode(r, text);
	if (size % GREYSTORE_RECORD && ftruncate(fd, size - size % GREYSTORE_RECORD) == -1)
		return -1;
	return io_write_all(fd, text, sizeof text);
}

int
greyday_append(const struct greyday_dir *d, int64_t day, const struct greyday_record *r,
    bool *is_new)
{
	char path[GREYDAY_PATH];
	struct stat st = { 0 };
	int fd, rc = -1;

	if (check_day(d, day) == -1 || day_path(d, path, day, "log") == -1)
		return -1;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0)
		rc = write_record(fd, st.st_size, r);
	if (close(fd) == -1)
		rc = -1;
	*is_new = st.st_size == 0;
	if (rc == 0 && st.st_size + GREYSTORE_RECORD >= (off_t)GREYSTORE_LOG_MAX)
		rc = merge(d, day);
	return rc;
}

/* ---- old days ---- */

/* The day of `20778.log` or `20778.cdb`; false: another file. */
static bool
parse_name(const char *name, int64_t *day, bool *is_log)
{
	struct span text = span_str(name), suffix;
	size_t dot = span_chr(text, '.');
	uint64_t value;

	suffix = span_tail(text, dot);
	*is_log = span_eq(suffix, span_str(".log"));
	if (!*is_log && !span_eq(suffix, span_str(".cdb")))
		return false;
	if (num_parse_u64(name, dot, INT64_MAX, &value) != NUM_OK)
		return false;
	*day = (int64_t)value;
	return true;
}

static int
tidy_one(const struct greyday_dir *d, const char *name, int64_t today, int64_t oldest)
{
	char path[GREYDAY_PATH];
	int64_t day;
	bool is_log;

	if (!parse_name(name, &day, &is_log))
		return 0;
	if (day < oldest || day > today + 1)
		return greyday_path(d, path, name) == -1 ? -1 : unlink(path);
	return is_log && day < today ? merge(d, day) : 0;
}

int
greyday_tidy(const struct greyday_dir *d, int64_t today, int64_t oldest)
{
	DIR *dir = opendir(d->path);
	const struct dirent *entry;
	int rc = 0, error;

	if (!dir)
		return -1;
	while (rc == 0 && (entry = readdir(dir)))
		rc = tidy_one(d, entry->d_name, today, oldest);
	error = errno;
	(void)closedir(dir);
	errno = error;
	return rc;
}
