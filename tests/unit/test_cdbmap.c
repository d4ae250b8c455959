/* cdbmap: small and large files, and files that become shorter while they are open. */
#include "lib/cdbmap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "scratch.h"
#include "tap.h"

#define LONG 5000	/* bytes of a value, now and then */

static void
entry(unsigned i, struct buf *key, struct buf *value)
{
	buf_reset(key);
	buf_reset(value);
	if (i > 0) {	/* the first key is empty */
		buf_adds(key, "key");
		buf_addnum(key, i);
	}
	buf_addnum(value, i);
	while (i % 50 == 1 && value->n < LONG)
		buf_addc(value, 'v');
}

static void
build(unsigned entries)
{
	struct buf key = { 0 }, value = { 0 };
	int fd = open("cdb", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct cdbmap_maker *maker = cdbmap_make(fd);

	for (unsigned i = 0; i < entries; i++) {
		entry(i, &key, &value);
		if (cdbmap_make_add(maker, buf_span(&key), buf_span(&value)) == -1)
			abort();
	}
	if (cdbmap_make_finish(maker) == -1)
		abort();
	(void)close(fd);
	buf_free(&key);
	buf_free(&value);
}

/* Every record is found, in its order, too; others are not. */
static void
test_all(struct tap *t, unsigned entries)
{
	struct buf key = { 0 }, value = { 0 };
	struct span first = span_str(""), data, k;
	unsigned found = 0, listed = 0, absent = 0, pos = 0;
	struct cdbmap *m;

	build(entries);
	ok(t, cdbmap_open("cdb", &m) == CDBMAP_FOUND, "%u records", entries);
	if (entries)
		ok(t, cdbmap_find(m, span_str(""), &first) == CDBMAP_FOUND, "an empty key");
	for (unsigned i = 0; i < entries; i++) {
		entry(i, &key, &value);
		found += cdbmap_find(m, buf_span(&key), &data) == CDBMAP_FOUND &&
		    span_eq(data, buf_span(&value));
		listed += cdbmap_next(m, &pos, &k, &data) == CDBMAP_FOUND &&
		    span_eq(k, buf_span(&key)) && span_eq(data, buf_span(&value));
		buf_addc(&key, 'x');
		absent += cdbmap_find(m, buf_span(&key), &data) == CDBMAP_ABSENT;
	}
	is_num(t, found, entries, "all are found");
	is_num(t, listed, entries, "all are listed");
	is_num(t, absent, entries, "nothing else is found");
	ok(t, cdbmap_next(m, &pos, &k, &data) == CDBMAP_ABSENT, "and that is all");
	ok(t, !entries || span_eq(first, span_str("0")), "what was found first is still there");
	cdbmap_close(m);
	buf_free(&key);
	buf_free(&value);
}

/* Somebody cuts it after it was opened, and between two lookups. */
static void
test_cut(struct tap *t, off_t length)
{
	struct span data;
	struct cdbmap *m;
	unsigned pos = 0;
	int failed = 0;

	build(3000);
	if (cdbmap_open("cdb", &m) != CDBMAP_FOUND)
		abort();
	ok(t, cdbmap_find(m, span_str("key2999"), &data) == CDBMAP_FOUND, "whole");
	if (truncate("cdb", length) == -1)
		abort();
	ok(t, span_eq(data, span_str("2999")), "what was found is still there");
	ok(t, cdbmap_find(m, span_str("key2998"), &data) == CDBMAP_FAILED, "cut to %ld bytes",
	    (long)length);
	for (unsigned i = 0; i < 3000 && !failed; i++)
		failed = cdbmap_next(m, &pos, &data, &data) == CDBMAP_FAILED;
	ok(t, failed, "listing fails, too");
	cdbmap_close(m);
	if (cdbmap_open("cdb", &m) != CDBMAP_FOUND)
		abort();
	ok(t, cdbmap_find(m, span_str("key2998"), &data) == CDBMAP_FAILED, "opened again");
	cdbmap_close(m);
}

/* Found again and again in a file that does not fit into what is kept of it. */
static void
test_growth(struct tap *t)
{
	struct cdbmap *m;
	struct rusage before, after;
	struct span data;
	bool found = true;

	build(3000);
	if (cdbmap_open("cdb", &m) != CDBMAP_FOUND || getrusage(RUSAGE_SELF, &before) == -1)
		abort();
	for (int i = 0; i < 200000; i++) {
		cdbmap_forget(m);
		found &= cdbmap_find(m, span_str("key2999"), &data) == CDBMAP_FOUND;
	}
	if (getrusage(RUSAGE_SELF, &after) == -1)
		abort();
	ok(t, found, "found each time");
	/* A sanitizer keeps what is freed. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ok(t, after.ru_maxrss - before.ru_maxrss < 1000, "no more memory: %ld kB",
	    after.ru_maxrss - before.ru_maxrss);
#endif
	cdbmap_close(m);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	test_all(&t, 0);
	test_all(&t, 1);
	test_all(&t, 40);
	test_all(&t, 3000);
	test_cut(&t, 0);
	test_cut(&t, 2047);
	test_cut(&t, 2048);
	test_cut(&t, 20000);
	test_growth(&t);
	scratch_leave(&s);
	return done(&t);
}
