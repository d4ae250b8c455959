/* cdbmap - constant databases: lookup, and building through tinycdb. */
#include "lib/cdbmap.h"

#include <cdb.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/fsops.h"
#include "lib/io.h"

/* A file of at most this size is read at once, of others the beginning with the table of tables.
 * Nothing is mapped: that would be the end of a process when somebody truncates the file. */
#define FIRST_SIZE ((size_t)16384)
#define TABLES ((size_t)2048)		/* bytes: position and slots of 256 tables */
#define SLOTS 32			/* are looked at with one read */
#define GUESS ((size_t)256)		/* bytes of most records */
#define AHEAD ((size_t)16384)		/* are read at once when all records are wanted */

/* What has been found outside of `first`. */
struct piece {
	struct piece *next;
	char bytes[];
};

struct cdbmap {
	int fd;
	int flaw;		/* 0, or errno: EPROTO if it is too short or too long */
	uint64_t size, end;	/* of the file, of its records */
	uint64_t told;		/* where they should end */
	struct piece *pieces;
	struct buf ahead;	/* of cdbmap_next: what is at ahead_at */
	uint64_t ahead_at;
	size_t n;		/* bytes of first */
	char first[FIRST_SIZE];
};

struct cdbmap_maker {
	struct cdb_make make;
};

static uint32_t
number(const char *at)
{
	return cdb_unpack((const unsigned char *)at);
}

static enum cdbmap_status
is_damaged(void)
{
	errno = EPROTO;
	return CDBMAP_FAILED;
}

/* Copies n bytes at pos.  false: they are not there; errno. */
static bool
get(const struct cdbmap *m, void *to, size_t n, uint64_t pos)
{
	errno = EPROTO;
	if (pos > m->size || n > m->size - pos)
		return false;
	if (pos + n > m->n)
		return io_pread(m->fd, to, n, (off_t)pos) == (ssize_t)n;
	memcpy(to, m->first + pos, n);
	return true;
}

/* The same, to be kept until the map is closed.  The first known_n bytes are known. */
static const char *
keep(struct cdbmap *m, size_t n, uint64_t pos, const char *known, size_t known_n)
{
	struct piece *piece;

	errno = EPROTO;
	if (pos > m->size || n > m->size - pos)
		return NULL;
	if (pos + n <= m->n)
		return m->first + pos;
	if (!(piece = malloc(sizeof *piece + n)))
		return NULL;
	piece->next = m->pieces;
	m->pieces = piece;
	if (known_n >= n) {
		memcpy(piece->bytes, known, n);
		return piece->bytes;
	}
	return get(m, piece->bytes, n, pos) ? piece->bytes : NULL;
}

/* Is it a database, by its size and by what can be read of its first bytes?  0, or errno. */
static int
read_first(struct cdbmap *m)
{
	struct stat st;
	ssize_t n;

	if (fstat(m->fd, &st) == -1)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (st.st_size < (off_t)TABLES || st.st_size > UINT32_MAX)
		return EPROTO;
	if ((n = io_pread(m->fd, m->first, sizeof m->first, 0)) == -1)
		return errno;
	m->n = (size_t)n;
	m->size = (uint64_t)st.st_size;
	return m->n < TABLES || (m->n < m->size && m->n < sizeof m->first) ? EPROTO : 0;
}

/* Where the records end: at the first table with slots, wherever it stands.  What is written as the
 * position of a table without slots means nothing; some programs write 0. */
static uint64_t
end_of_records(const struct cdbmap *m)
{
	uint64_t end = UINT64_MAX;

	for (size_t at = 0; at < TABLES; at += 8)
		if (number(m->first + at + 4) && number(m->first + at) < end)
			end = number(m->first + at);
	if (end < UINT64_MAX)
		return end;
	return m->size == TABLES ? TABLES : number(m->first);
}

static void
begin(struct cdbmap *m, int fd)
{
	m->fd = fd;
	m->pieces = NULL;
	buf_init(&m->ahead, SIZE_MAX / 2);
	m->ahead_at = 0;
	m->n = 0;
	m->flaw = read_first(m);
	if (m->flaw)
		return;
	m->told = end_of_records(m);
	m->end = m->told < TABLES ? TABLES : m->told > m->size ? m->size : m->told;
}

/* fd: open on it, or -1 with errno; taken over. */
static enum cdbmap_status
map_open_file(int fd, const char *path, struct cdbmap **m)
{
	*m = NULL;
	if (fd == -1)
		return errno == ENOENT && !fsops_is_named(path) ? CDBMAP_ABSENT : CDBMAP_FAILED;
	if (!(*m = malloc(sizeof **m))) {
		(void)close(fd);
		errno = ENOMEM;
		return CDBMAP_FAILED;
	}
	begin(*m, fd);
	return CDBMAP_FOUND;
}

enum cdbmap_status
cdbmap_open(const char *path, struct cdbmap **m)
{
	return map_open_file(fsops_open_read(path), path, m);
}

enum cdbmap_status
cdbmap_open_regular(const char *path, struct cdbmap **m)
{
	return map_open_file(fsops_open_regular(path), path, m);
}

void
cdbmap_forget(struct cdbmap *m)
{
	while (m->pieces) {
		struct piece *piece = m->pieces;

		m->pieces = piece->next;
		free(piece);
	}
}

void
cdbmap_close(struct cdbmap *m)
{
	int error = errno;

	if (!m)
		return;
	cdbmap_forget(m);
	buf_free(&m->ahead);
	(void)close(m->fd);
	free(m);
	errno = error;
}

/* The record at pos, if it has this key.  A length that leads out of the file is damage, even of a
 * record that is for another key of the same hash. */
static enum cdbmap_status
match(struct cdbmap *m, struct span key, uint64_t pos, struct span *data)
{
	char guess[GUESS];
	size_t n = m->size - pos < sizeof guess ? (size_t)(m->size - pos) : sizeof guess;
	uint64_t key_n, data_n;
	const char *record;

	if (pos + 8 > m->end)
		return is_damaged();
	if (!get(m, guess, n, pos))
		return CDBMAP_FAILED;
	key_n = number(guess);
	data_n = number(guess + 4);
	if (key_n + 8 > m->size - pos)
		return is_damaged();
	if (key_n != key.n)
		return CDBMAP_ABSENT;
	if (n >= key.n + 8 && key.n && memcmp(guess + 8, key.p, key.n) != 0)
		return CDBMAP_ABSENT;
	if (data_n > m->size - pos - 8 - key_n)
		return is_damaged();
	if (!(record = keep(m, (size_t)(key_n + data_n), pos + 8, guess + 8, n - 8)))
		return CDBMAP_FAILED;
	if (key.n && memcmp(record, key.p, key.n) != 0)
		return CDBMAP_ABSENT;
	*data = span_of(record + key.n, (size_t)data_n);
	return CDBMAP_FOUND;
}

/* Looks at the slots of one table, from the one where the key should be. */
static enum cdbmap_status
walk(struct cdbmap *m, struct span key, uint64_t table, uint32_t slots, struct span *data)
{
	const uint32_t hash = cdb_hash(key.p, (unsigned)key.n);
	enum cdbmap_status status = CDBMAP_ABSENT;
	char window[SLOTS * 8];
	uint32_t at = (hash >> 8) % slots, from = at, held = 0;

	for (uint32_t n = 0; n < slots && status == CDBMAP_ABSENT; n++, at = (at + 1) % slots) {
		const char *slot;

		if (at < from || at - from >= held) {
			from = at;
			held = slots - at < SLOTS ? slots - at : SLOTS;
			if (!get(m, window, (size_t)held * 8, table + (uint64_t)at * 8))
				return CDBMAP_FAILED;
		}
		slot = window + (size_t)(at - from) * 8;
		if (number(slot + 4) == 0)
			break;
		if (number(slot) == hash)
			status = match(m, key, number(slot + 4), data);
	}
	return status;
}

enum cdbmap_status
cdbmap_find(struct cdbmap *m, struct span key, struct span *data)
{
	uint64_t table;
	uint32_t slots;
	size_t at;

	if (m->flaw) {
		errno = m->flaw;
		return CDBMAP_FAILED;
	}
	if (key.n > UINT_MAX)
		return CDBMAP_ABSENT;
	at = (cdb_hash(key.p, (unsigned)key.n) & 255) * 8;
	table = number(m->first + at);
	slots = number(m->first + at + 4);
	if (slots == 0)
		return CDBMAP_ABSENT;
	if (table < m->end || table > m->size || slots > (m->size - table) / 8)
		return is_damaged();
	return walk(m, key, table, slots, data);
}

enum cdbmap_status
cdbmap_seek(int fd, struct span key, void *data, size_t n)
{
	enum cdbmap_status status;
	struct span found;
	struct cdbmap m;

	begin(&m, fd);
	status = cdbmap_find(&m, key, &found);
	if (status == CDBMAP_FOUND && found.n == n)
		memcpy(data, found.p, n);
	else if (status == CDBMAP_FOUND)
		status = is_damaged();
	cdbmap_forget(&m);
	return status;
}

/* n bytes at pos, until the next call; NULL: errno. */
static const char *
look_ahead(struct cdbmap *m, size_t n, uint64_t pos)
{
	size_t take = n > AHEAD ? n : AHEAD;

	if (pos + n <= m->n)
		return m->first + pos;
	if (pos >= m->ahead_at && pos + n <= m->ahead_at + m->ahead.n)
		return m->ahead.p + (pos - m->ahead_at);
	if (take > m->end - pos)
		take = (size_t)(m->end - pos);
	buf_reset(&m->ahead);
	m->ahead_at = pos;
	if (!buf_room(&m->ahead, take)) {
		errno = ENOMEM;
		return NULL;
	}
	if (!get(m, m->ahead.p, take, pos))
		return NULL;
	buf_added(&m->ahead, take);
	return m->ahead.p;
}

enum cdbmap_status
cdbmap_next(struct cdbmap *m, unsigned *pos, struct span *key, struct span *data)
{
	uint64_t at = *pos ? *pos : TABLES;
	uint32_t key_n, data_n;
	const char *bytes;

	if (m->flaw) {
		errno = m->flaw;
		return CDBMAP_FAILED;
	}
	if (at == m->told)
		return CDBMAP_ABSENT;
	if (m->end != m->told || at + 8 > m->end)
		return is_damaged();
	if (!(bytes = look_ahead(m, 8, at)))
		return CDBMAP_FAILED;
	key_n = number(bytes);
	data_n = number(bytes + 4);
	at += 8;
	if ((uint64_t)key_n + data_n > m->end - at)
		return is_damaged();
	if (!(bytes = look_ahead(m, (size_t)key_n + data_n, at)))
		return CDBMAP_FAILED;
	*key = span_of(bytes, key_n);
	*data = span_of(bytes + key_n, data_n);
	*pos = (unsigned)(at + key_n + data_n);
	return CDBMAP_FOUND;
}

struct cdbmap_maker *
cdbmap_make(int fd)
{
	struct cdbmap_maker *mk = calloc(1, sizeof *mk);

	if (mk && cdb_make_start(&mk->make, fd) != 0) {
		free(mk);
		mk = NULL;
	}
	return mk;
}

int
cdbmap_make_add(struct cdbmap_maker *mk, struct span key, struct span data)
{
	if (key.n > UINT_MAX || data.n > UINT_MAX) {
		errno = EFBIG;
		return -1;
	}
	return cdb_make_add(&mk->make, key.p, (unsigned)key.n, data.p, (unsigned)data.n) == 0 ?
	    0 : -1;
}

int
cdbmap_make_finish(struct cdbmap_maker *mk)
{
	int r = cdb_make_finish(&mk->make) == 0 ? 0 : -1;

	free(mk);
	return r;
}
