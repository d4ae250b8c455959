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
#define PIECE ((size_t)512 * GREYSTORE_RECORD)	/* of a log: is read at once */

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

/* ---- logs ---- */

/* A log, from its end: what happened last comes first. */
struct log {
	int fd;				/* -1: there is none */
	off_t at;			/* what is before has not been read */
	size_t n;			/* bytes of piece that have not been taken */
	unsigned char piece[PIECE];
};

static int
open_log(struct log *log, const char *path)
{
	struct stat st;

	log->at = 0;
	log->n = 0;
	log->fd = fsops_open_read(path);
	if (log->fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(log->fd, &st) == 0) {
		log->at = st.st_size - st.st_size % GREYSTORE_RECORD;
		if (st.st_size <= (off_t)GREYFILE_LOG_MAX)
			return 0;
		errno = EPROTO;
	}
	close_quietly(log->fd);
	return -1;
}

static void
close_log(const struct log *log)
{
	if (log->fd != -1)
		close_quietly(log->fd);
}

/* The record before: 1: *record, until the next call; 0: there are no more; -1: errno. */
static int
previous(struct log *log, const unsigned char **record)
{
	if (log->n == 0) {
		if (log->at == 0)
			return 0;
		log->n = log->at < (off_t)PIECE ? (size_t)log->at : PIECE;
		log->at -= (off_t)log->n;
		errno = EPROTO;		/* if it is shorter than it was */
		if (io_pread(log->fd, log->piece, log->n, log->at) != (ssize_t)log->n)
			return -1;
	}
	log->n -= GREYSTORE_RECORD;
	*record = log->piece + log->n;
	return 1;
}

int
greyfile_find_in_log(const char *path, struct greyfile_record *r)
{
	const unsigned char *p;
	struct log log;
	int rc = open_log(&log, path);

	if (rc == -1)
		return -1;
	while ((rc = previous(&log, &p)) == 1)
		if (memcmp(p, r->key, GREYSTORE_KEY) == 0) {
			decode_times(p + GREYSTORE_KEY, r);
			break;
		}
	close_log(&log);
	return rc;
}

/* ---- databases ---- */

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

static int
add(struct cdbmap_maker *mk, const unsigned char *record)
{
	const char *key = (const char *)record;

	return cdbmap_make_add(mk, span_of(key, GREYSTORE_KEY),
	    span_of(key + GREYSTORE_KEY, TIMES));
}

/* *failed: stays as it is if the new database is to blame. */
static int
copy_record(struct cdbmap_maker *mk, struct span key, struct span times,
    enum greyfile_part *failed)
{
	if (key.n == GREYSTORE_KEY && times.n == TIMES)
		return cdbmap_make_add(mk, key, times);
	*failed = GREYFILE_OLD;
	errno = EPROTO;
	return -1;
}

static int
copy_records(struct cdbmap_maker *mk, struct cdbmap *old, enum greyfile_part *failed)
{
	enum cdbmap_status status;
	struct span key, times;
	unsigned pos = 0;

	*failed = GREYFILE_NEW;
	while ((status = cdbmap_next(old, &pos, &key, &times)) == CDBMAP_FOUND)
		if (copy_record(mk, key, times, failed) == -1)
			return -1;
	if (status == CDBMAP_ABSENT)
		return 0;
	if (errno != ENOMEM)
		*failed = GREYFILE_OLD;
	return -1;
}

static int
copy_map(struct cdbmap_maker *mk, const char *path, enum greyfile_part *failed)
{
	struct cdbmap *old;
	enum cdbmap_status status = cdbmap_open(path, &old);
	int rc;

	*failed = GREYFILE_OLD;
	if (status != CDBMAP_FOUND)
		return status == CDBMAP_ABSENT ? 0 : -1;
	rc = copy_records(mk, old, failed);
	cdbmap_close(old);
	return rc;
}

/* Backwards: of equal keys the first in a cdb counts. */
static int
copy_log(struct cdbmap_maker *mk, const char *path, enum greyfile_part *failed)
{
	const unsigned char *record;
	struct log log;
	int rc;

	*failed = GREYFILE_LOG;
	if (open_log(&log, path) == -1)
		return -1;
	while ((rc = previous(&log, &record)) == 1)
		if (add(mk, record) == -1) {
			*failed = GREYFILE_NEW;
			rc = -1;
			break;
		}
	close_log(&log);
	return rc;
}

int
greyfile_write_map(int fd, const char *log, const char *old, enum greyfile_part *failed)
{
	struct cdbmap_maker *mk = cdbmap_make(fd);
	int rc, error;

	*failed = GREYFILE_NEW;
	if (!mk)
		return -1;
	rc = copy_log(mk, log, failed);
	if (rc == 0)
		rc = copy_map(mk, old, failed);
	error = errno;
	if (cdbmap_make_finish(mk) == -1 && rc == 0) {
		*failed = GREYFILE_NEW;
		return -1;
	}
	errno = error;
	return rc;
}
