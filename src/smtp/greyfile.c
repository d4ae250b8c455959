/* greyfile - the two kinds of file that a day has in a greystore. */
#include "smtp/greyfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cdbmap.h"
#include "lib/fsops.h"
#include "lib/io.h"

#define TIMES (GREYSTORE_RECORD - GREYSTORE_KEY)
#define UNIT (8 + GREYSTORE_RECORD)	/* in a cdb: two lengths, key, times */
#define MAP_HEAD 2048			/* of a cdb: where its tables are */

/* ---- bytes ---- */

void
greyfile_put_number(unsigned char *p, int64_t value)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)((uint64_t)value >> 8 * i);
}

int64_t
greyfile_get_number(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v > INT64_MAX ? 0 : (int64_t)v;
}

void
greyfile_encode(const struct greyfile_record *r, unsigned char out[GREYSTORE_RECORD])
{
	memcpy(out, r->key, GREYSTORE_KEY);
	greyfile_put_number(out + GREYSTORE_KEY, r->first);
	greyfile_put_number(out + GREYSTORE_KEY + 8, r->passed);
}

static void
decode_times(const unsigned char *p, struct greyfile_record *r)
{
	r->first = greyfile_get_number(p);
	r->passed = greyfile_get_number(p + 8);
}

/* fd is closed, errno stays. */
static void
close_quietly(int fd)
{
	int error = errno;

	(void)close(fd);
	errno = error;
}

static int
read_records(int fd, struct buf *log)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size > (off_t)GREYFILE_LOG_MAX) {
		errno = EPROTO;
		return -1;
	}
	log->max = GREYFILE_LOG_MAX + 1;
	errno = ENOMEM;
	if (io_read_all(fd, log) != IO_OK)
		return -1;
	buf_cut(log, log->n - log->n % GREYSTORE_RECORD);
	return 0;
}

/* All whole records of a log; no file: none. */
int
greyfile_read_log(const char *path, struct buf *log)
{
	int fd = fsops_open_read(path), rc;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	rc = read_records(fd, log);
	close_quietly(fd);
	return rc;
}

static const unsigned char *
record_at(const struct buf *log, size_t at)
{
	return (const unsigned char *)log->p + at;
}

int
greyfile_find_in_log(const char *path, struct greyfile_record *r)
{
	struct buf log = { 0 };
	int found = greyfile_read_log(path, &log);

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

int
greyfile_find_in_map(const char *path, struct greyfile_record *r)
{
	unsigned char times[TIMES];
	enum cdbmap_status status;
	int fd = fsops_open_read(path);

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	status = cdbmap_seek(fd, span_of((const char *)r->key, GREYSTORE_KEY), times, TIMES);
	close_quietly(fd);
	if (status == CDBMAP_FOUND)
		decode_times(times, r);
	return status == CDBMAP_FOUND ? 1 : status == CDBMAP_ABSENT ? 0 : -1;
}

/* ---- from log to database ---- */

static unsigned
le32(const unsigned char *p)
{
	return p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16 | (unsigned)p[3] << 24;
}

static int
copy_units(struct cdbmap_maker *mk, const unsigned char *p, size_t n)
{
	for (; n > 0; p += UNIT, n -= UNIT) {
		const char *key = (const char *)p + 8;

		if (le32(p) != GREYSTORE_KEY || le32(p + 4) != TIMES) {
			errno = EPROTO;
			return -1;
		}
		if (cdbmap_make_add(mk, span_of(key, GREYSTORE_KEY),
		    span_of(key + GREYSTORE_KEY, TIMES)) == -1)
			return -1;
	}
	return 0;
}

/* All records of the database: its head begins with the place where they end. */
static int
copy_records(struct cdbmap_maker *mk, int fd)
{
	unsigned char units[100 * UNIT];
	size_t end, n;

	errno = EPROTO;
	if (io_pread(fd, units, 4, 0) != 4)
		return -1;
	end = le32(units);
	if (end < MAP_HEAD || (end - MAP_HEAD) % UNIT)
		return -1;
	for (size_t at = MAP_HEAD; at < end; at += n) {
		n = end - at < sizeof units ? end - at : sizeof units;
		errno = EPROTO;
		if (io_pread(fd, units, n, (off_t)at) != (ssize_t)n ||
		    copy_units(mk, units, n) == -1)
			return -1;
	}
	return 0;
}

static int
copy_map(struct cdbmap_maker *mk, const char *path)
{
	int fd = fsops_open_read(path), rc;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	rc = copy_records(mk, fd);
	close_quietly(fd);
	return rc;
}

/* Of equal keys the first in a cdb counts: the log backwards, then what was there. */
int
greyfile_write_map(int fd, const struct buf *log, const char *old, bool *old_failed)
{
	struct cdbmap_maker *mk = cdbmap_make(fd);
	int rc = mk ? 0 : -1;

	*old_failed = false;
	for (size_t at = log->n; rc == 0 && at > 0; at -= GREYSTORE_RECORD) {
		const char *p = log->p + at - GREYSTORE_RECORD;

		rc = cdbmap_make_add(mk, span_of(p, GREYSTORE_KEY),
		    span_of(p + GREYSTORE_KEY, TIMES));
	}
	if (rc == 0 && (rc = copy_map(mk, old)) == -1)
		*old_failed = true;
	if (mk) {
		int error = errno;

		if (cdbmap_make_finish(mk) == -1)
			rc = -1;
		else
			errno = error;
	}
	return rc;
}
