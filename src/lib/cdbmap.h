/* cdbmap - constant databases: lookup by reads, and building through tinycdb.  A file that is cut
 * or written to while it is open is damaged, no more.
 * Of equal keys the first record written wins.  Files are limited to 4 GiB by their format. */
#ifndef LIB_CDBMAP_H
#define LIB_CDBMAP_H

#include "lib/attr.h"
#include "lib/span.h"

/* FAILED: errno; EPROTO or EIO for damage. */
enum cdbmap_status { CDBMAP_ABSENT, CDBMAP_FOUND, CDBMAP_FAILED };

struct cdbmap;		/* an open database */
struct cdbmap_maker;	/* one being written */

/* CDBMAP_FOUND: *m is open; if the file is no database, that shows at the first lookup, as any
 * damage does.  CDBMAP_ABSENT: no such name, *m is NULL, as it is with CDBMAP_FAILED. */
MUST_CHECK enum cdbmap_status cdbmap_open(const char *path, struct cdbmap **m);
/* The same with fsops_open_regular, for a file in somebody else's directory. */
MUST_CHECK enum cdbmap_status cdbmap_open_regular(const char *path, struct cdbmap **m);
void cdbmap_close(struct cdbmap *m);	/* NULL is fine; errno stays */
/* *data is borrowed from the map until that is closed or forgets it.  What was found stays in
 * memory until then: a process that serves strangers forgets before each question. */
MUST_CHECK enum cdbmap_status cdbmap_find(struct cdbmap *m, struct span key, struct span *data);
void cdbmap_forget(struct cdbmap *m);

/* One lookup with the least of memory.  FOUND: data has all n bytes of the value; one of another
 * length is damage. */
MUST_CHECK enum cdbmap_status cdbmap_seek(int fd, struct span key, void *data, size_t n);

/* The next record in the order of writing; start with *pos = 0.  ABSENT: there are no more, where
 * the head of the file says that they end; a file that was cut between two records is damaged.
 * *key and *data are borrowed until the next call. */
MUST_CHECK enum cdbmap_status cdbmap_next(struct cdbmap *m, unsigned *pos, struct span *key,
    struct span *data);

/* Writes to fd, an empty file open for reading and writing; the caller syncs and renames.  NULL
 * with errno when out of memory. */
MUST_CHECK struct cdbmap_maker *cdbmap_make(int fd);
MUST_CHECK int cdbmap_make_add(struct cdbmap_maker *mk, struct span key, struct span data);
/* Writes the tables and frees mk, whatever happens. */
MUST_CHECK int cdbmap_make_finish(struct cdbmap_maker *mk);

#endif
