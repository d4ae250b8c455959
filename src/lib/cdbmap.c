/* cdbmap - constant databases through tinycdb: lookup and building. */
#include "lib/cdbmap.h"

#include <cdb.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/fsops.h"

struct cdbmap {
	int fd;
	bool damaged;		/* then cdb is not open */
	struct cdb cdb;
};

struct cdbmap_maker {
	struct cdb_make make;
};

enum cdbmap_status
cdbmap_open(const char *path, struct cdbmap **m)
{
	int fd = fsops_open_read(path);

	*m = NULL;
	if (fd == -1)
		return errno == ENOENT ? CDBMAP_ABSENT : CDBMAP_FAILED;
	if (!(*m = calloc(1, sizeof **m))) {
		(void)close(fd);
		errno = ENOMEM;
		return CDBMAP_FAILED;
	}
	(*m)->fd = fd;
	(*m)->damaged = cdb_init(&(*m)->cdb, fd) != 0;
	return CDBMAP_FOUND;
}

void
cdbmap_close(struct cdbmap *m)
{
	if (!m)
		return;
	if (!m->damaged)
		cdb_free(&m->cdb);
	(void)close(m->fd);
	free(m);
}

/* tinycdb passes over a record whose key has another length, and so takes a length that cannot be
 * for a key that is not there.  Are all records where the key may be inside the file? */
static bool
chain_is_sound(const struct cdb *c, struct span key)
{
	const unsigned hash = cdb_hash(key.p, (unsigned)key.n);
	const unsigned char *head = cdb_get(c, 8, (hash & 255) * 8), *table, *record;
	unsigned slots = head ? cdb_unpack(head + 4) : 0;

	if (!head || slots > UINT_MAX / 8)
		return false;
	if (slots == 0)
		return true;
	if (!(table = cdb_get(c, slots * 8, cdb_unpack(head))))
		return false;
	for (unsigned n = 0, at = (hash >> 8) % slots; n < slots; n++, at = (at + 1) % slots) {
		const unsigned char *slot = table + (size_t)at * 8;
		unsigned pos = cdb_unpack(slot + 4);

		if (pos == 0)
			break;
		if (cdb_unpack(slot) == hash && (!(record = cdb_get(c, 8, pos)) ||
		    !cdb_get(c, cdb_unpack(record), pos + 8)))
			return false;
	}
	return true;
}

enum cdbmap_status
cdbmap_find(struct cdbmap *m, struct span key, struct span *data)
{
	const void *p;
	int r;

	if (m->damaged)
		return CDBMAP_FAILED;
	if (key.n > UINT_MAX)
		return CDBMAP_ABSENT;
	r = cdb_find(&m->cdb, key.p, (unsigned)key.n);
	if (r == 0)
		return chain_is_sound(&m->cdb, key) ? CDBMAP_ABSENT : CDBMAP_FAILED;
	if (r < 0 || !(p = cdb_getdata(&m->cdb)))
		return CDBMAP_FAILED;
	*data = span_of(p, cdb_datalen(&m->cdb));
	return CDBMAP_FOUND;
}

enum cdbmap_status
cdbmap_seek(int fd, struct span key, void *data, size_t n)
{
	unsigned found_n;
	int r;

	if (key.n > UINT_MAX)
		return CDBMAP_ABSENT;
	r = cdb_seek(fd, key.p, (unsigned)key.n, &found_n);
	if (r == 0)
		return CDBMAP_ABSENT;
	if (r < 0)
		return CDBMAP_FAILED;
	if (found_n == n && n <= INT_MAX)
		return cdb_bread(fd, data, (int)n) == 0 ? CDBMAP_FOUND : CDBMAP_FAILED;
	errno = EPROTO;
	return CDBMAP_FAILED;
}

enum cdbmap_status
cdbmap_next(struct cdbmap *m, unsigned *pos, struct span *key, struct span *data)
{
	const void *k, *d;
	int r;

	if (m->damaged)
		return CDBMAP_FAILED;
	if (*pos == 0)
		cdb_seqinit(pos, &m->cdb);
	r = cdb_seqnext(pos, &m->cdb);
	if (r == 0)
		return CDBMAP_ABSENT;
	if (r < 0 || !(k = cdb_getkey(&m->cdb)) || !(d = cdb_getdata(&m->cdb)))
		return CDBMAP_FAILED;
	*key = span_of(k, cdb_keylen(&m->cdb));
	*data = span_of(d, cdb_datalen(&m->cdb));
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
