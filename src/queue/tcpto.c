/* tcpto - hosts that did not answer lately. */
#include "queue/tcpto.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/sys.h"

#define LOCK_DIR "queue/lock"
#define RECORD_MAX ((size_t)TCPTO6_RECORD_SIZE)
#define TABLE_MAX (RECORD_MAX * TCPTO_RECORDS)
#define PATH_SIZE 256
#define SKIP_FROM 2			/* timeouts from which on a host is left alone */
#define SKIP_UNIT_S 64			/* for 60 to 91 of these, by process */
#define SKIP_UNITS 60
#define QUIET_S 120			/* timeouts in quick succession count once */
#define AGE_PER_TIMEOUT_S 1024		/* what a timeout is worth when a record must go */

/* Where things are in a record. */
struct format {
	const char *file;
	size_t record, address, count_at, time_at, time;
	bool grows;		/* records behind the end of the file are free ones */
};

static const struct format formats[2] = {
	{ TCPTO_FILE, TCPTO_RECORD_SIZE, 4, 4, 8, 4, false },
	{ TCPTO6_FILE, TCPTO6_RECORD_SIZE, 16, 16, 24, 8, true },
};

struct table {
	const struct format *f;
	int fd;			/* open for writing, locked; -1: table counts as empty */
	size_t n;		/* records */
	unsigned char bytes[TABLE_MAX];
};

static unsigned char *
record(struct table *t, size_t i)
{
	return t->bytes + i * t->f->record;
}

static unsigned
count_of(const struct format *f, const unsigned char *r)
{
	return r[f->count_at];
}

static int64_t
time_of(const struct format *f, const unsigned char *r)
{
	uint64_t v = 0;

	for (size_t i = 0; i < f->time; i++)
		v |= (uint64_t)r[f->time_at + i] << (CHAR_BIT * i);
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static void
set_time(const struct format *f, unsigned char *r, int64_t when)
{
	for (size_t i = 0; i < f->time; i++)
		r[f->time_at + i] = (unsigned char)((uint64_t)when >> (CHAR_BIT * i) & UCHAR_MAX);
}

static int
close_keeping_errno(int fd)
{
	int error = errno;

	(void)close(fd);
	errno = error;
	return -1;
}

/* Opens a file of the directory; -1 with errno. */
static int
open_in(const char *dir, const char *file, int flags)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s/%s", dir, file);

	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

/* Opens the file for writing and locks it. */
static enum tcpto_status
lock_file(const char *dir, const struct format *f, int *fd)
{
	*fd = open_in(dir, f->file, O_WRONLY);
	if (*fd == -1)
		return TCPTO_OPEN;
	if (sys_flock(*fd) == 0)
		return TCPTO_OK;
	*fd = close_keeping_errno(*fd);
	return TCPTO_LOCK;
}

/* Reads what there is of the table.  -1 with errno. */
static int
load(const char *dir, const struct format *f, unsigned char *bytes, size_t *n)
{
	int fd = open_in(dir, f->file, O_RDONLY);
	size_t size = f->record * TCPTO_RECORDS;
	ssize_t r = 1;

	*n = 0;
	if (fd == -1)
		return -1;
	while (*n < size && (r = io_read(fd, bytes + *n, size - *n)) > 0)
		*n += (size_t)r;
	(void)close_keeping_errno(fd);
	return r == -1 ? -1 : 0;
}

/* Opens, locks and reads the table for this kind of address. */
static void
table_open(struct table *t, const struct tcpto_address *a)
{
	size_t n;

	*t = (struct table){ .f = &formats[a->v6] };
	if (lock_file(LOCK_DIR, t->f, &t->fd) != TCPTO_OK)
		return;
	if (load(LOCK_DIR, t->f, t->bytes, &n) == 0)
		t->n = n / t->f->record;
	if (t->f->grows)
		t->n = TCPTO_RECORDS;
}

static void
table_write(struct table *t, size_t i)
{
	if (lseek(t->fd, (off_t)(i * t->f->record), SEEK_SET) != -1)
		(void)!io_write_all(t->fd, record(t, i), t->f->record);
}

static void
table_close(struct table *t)
{
	if (t->fd != -1)
		(void)close(t->fd);	/* lets the lock go */
}

/* The first record with this address, in use or not; t->n if there is none. */
static size_t
table_find(struct table *t, const struct tcpto_address *a)
{
	size_t i = 0;

	while (i < t->n && memcmp(record(t, i), a->bytes, t->f->address) != 0)
		i++;
	return i;
}

/* A free record, else the one that matters least; t->n must not be 0. */
static size_t
table_victim(struct table *t)
{
	int64_t least = INT64_MAX;
	size_t victim = 0;

	for (size_t i = 0; i < t->n; i++) {
		unsigned count = count_of(t->f, record(t, i));
		int64_t when = time_of(t->f, record(t, i));
		int64_t worth = (int64_t)count * AGE_PER_TIMEOUT_S;

		if (count == 0)
			return i;
		worth = when > INT64_MAX - worth ? INT64_MAX : when + worth;
		if (worth < least) {
			least = worth;
			victim = i;
		}
	}
	return victim;
}

/* Is it less than so many seconds ago?  A time far in the future was written before the clock was
 * set back, and says nothing; a little of that may be another process. */
static bool
is_recent(const struct format *f, const unsigned char *r, int64_t now, int64_t seconds)
{
	int64_t age = now - time_of(f, r);

	return age < seconds && age > -seconds;
}

enum tcpto_advice
tcpto_query(const struct tcpto_address *a, int64_t now, uint64_t pid)
{
	int64_t limit = (int64_t)(SKIP_UNITS + (pid & 31)) * SKIP_UNIT_S;
	enum tcpto_advice advice = TCPTO_UNKNOWN;
	struct table t;
	size_t i;

	table_open(&t, a);
	if ((i = table_find(&t, a)) < t.n) {
		const unsigned char *r = record(&t, i);

		advice = TCPTO_KNOWN;
		if (count_of(t.f, r) >= SKIP_FROM && is_recent(t.f, r, now, limit))
			advice = TCPTO_SKIP;
		else if (count_of(t.f, r) > 0 && is_recent(t.f, r, now, QUIET_S))
			advice = TCPTO_LATER;
	}
	table_close(&t);
	return advice;
}

void
tcpto_answered(const struct tcpto_address *a, enum tcpto_advice advice)
{
	struct table t;
	size_t i;

	if (advice == TCPTO_UNKNOWN)
		return;
	table_open(&t, a);
	if ((i = table_find(&t, a)) < t.n) {
		record(&t, i)[t.f->count_at] = 0;
		table_write(&t, i);
	}
	table_close(&t);
}

/* Counts a timeout in record i, which holds the address. */
static void
count_timeout(struct table *t, size_t i, int64_t now)
{
	unsigned char *r = record(t, i);
	unsigned count = count_of(t->f, r);

	if (count != 0 && is_recent(t->f, r, now, QUIET_S))
		return;
	r[t->f->count_at] = (unsigned char)(count < TCPTO_COUNT_MAX ? count + 1 : TCPTO_COUNT_MAX);
	set_time(t->f, r, now);
	table_write(t, i);
}

void
tcpto_timed_out(const struct tcpto_address *a, int64_t now)
{
	struct table t;
	size_t i;

	table_open(&t, a);
	if (t.n != 0) {
		if ((i = table_find(&t, a)) == t.n) {
			i = table_victim(&t);
			memset(record(&t, i), 0, t.f->record);
			memcpy(record(&t, i), a->bytes, t.f->address);
		}
		count_timeout(&t, i, now);
	}
	table_close(&t);
}

static int
zero(int fd, const struct format *f)
{
	static const unsigned char zeros[TABLE_MAX];

	return io_write_all(fd, zeros, f->record * TCPTO_RECORDS);
}

static void
clear(const char *dir, const struct format *f)
{
	int fd = open_in(dir, f->file, O_WRONLY);

	if (fd == -1)
		return;
	(void)!zero(fd, f);
	(void)close(fd);
}

void
tcpto_clear(const char *dir)
{
	clear(dir, &formats[0]);
	clear(dir, &formats[1]);
}

size_t
tcpto_decode(struct span file, bool v6, struct tcpto_entry out[TCPTO_RECORDS])
{
	const struct format *f = &formats[v6];
	size_t n = 0;

	for (size_t i = 0; i < TCPTO_RECORDS && (i + 1) * f->record <= file.n; i++) {
		const unsigned char *r = (const unsigned char *)file.p + i * f->record;

		if (count_of(f, r) == 0)
			continue;
		out[n] = (struct tcpto_entry){ .address.v6 = v6, .count = count_of(f, r),
			.when = time_of(f, r) };
		memcpy(out[n++].address.bytes, r, f->address);
	}
	return n;
}

/* A table of ours that nobody made yet is as good as an empty one. */
static bool
is_empty(const struct format *f, enum tcpto_status status)
{
	return status == TCPTO_OPEN && f->grows && errno == ENOENT;
}

enum tcpto_status
tcpto_list(const char *dir, bool v6, struct tcpto_entry out[TCPTO_RECORDS], size_t *n)
{
	const struct format *f = &formats[v6];
	unsigned char bytes[TABLE_MAX];
	enum tcpto_status status;
	size_t size;
	int fd;

	*n = 0;
	if ((status = lock_file(dir, f, &fd)) != TCPTO_OK)
		return is_empty(f, status) ? TCPTO_OK : status;
	if (load(dir, f, bytes, &size) == -1)
		status = TCPTO_READ;
	else
		*n = tcpto_decode(span_of((const char *)bytes, size), v6, out);
	(void)close_keeping_errno(fd);
	return status;
}

enum tcpto_status
tcpto_reset(const char *dir, bool v6)
{
	const struct format *f = &formats[v6];
	enum tcpto_status status;
	int fd;

	if ((status = lock_file(dir, f, &fd)) != TCPTO_OK)
		return is_empty(f, status) ? TCPTO_OK : status;
	if (zero(fd, f) == -1)
		status = TCPTO_WRITE;
	(void)close_keeping_errno(fd);
	return status;
}
