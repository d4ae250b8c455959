/* cdbmap: small and large files, and files that become shorter while they are open. */
#include "lib/cdbmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

/* Keys and values of two bytes each. */
static void
build_even(int fd, unsigned entries)
{
	struct cdbmap_maker *maker = cdbmap_make(fd);

	for (unsigned i = 0; i < entries; i++) {
		const char key[] = { 'k', (char)('0' + i) };

		if (cdbmap_make_add(maker, span_of(key, 2), span_str("vv")) == -1)
			abort();
	}
	if (cdbmap_make_finish(maker) == -1)
		abort();
}

/* What some programs write as the position of a table without slots. */
static void
forget_empty_tables(void)
{
	int fd = open("cdb", O_RDWR);

	for (off_t at = 0; at < 2048; at += 8) {
		unsigned char table[8];

		if (pread(fd, table, 8, at) != 8)
			abort();
		if (!table[4] && !table[5] && !table[6] && !table[7] &&
		    pwrite(fd, "\0\0\0\0", 4, at) != 4)
			abort();
	}
	(void)close(fd);
}

/* Every record is found, in its order, too; others are not. */
static void
test_all(struct tap *t, unsigned entries, bool forget)
{
	struct buf key = { 0 }, value = { 0 };
	struct span first = span_str(""), data, k;
	unsigned found = 0, listed = 0, absent = 0, pos = 0;
	struct cdbmap *m;

	build(entries);
	if (forget)
		forget_empty_tables();
	ok(t, cdbmap_open("cdb", &m) == CDBMAP_FOUND, "%u records%s", entries,
	    forget ? ", empty tables at 0" : "");
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

static void
test_absent(struct tap *t)
{
	struct cdbmap *m;

	ok(t, cdbmap_open("nonesuch", &m) == CDBMAP_ABSENT && !m, "no such file");
	if (symlink("nonesuch", "link") == -1)
		abort();
	ok(t, cdbmap_open("link", &m) == CDBMAP_FAILED && !m, "a link that leads nowhere");
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

/* The file as it is now, listed: how many records, and how that ends. */
static unsigned
list(enum cdbmap_status *end)
{
	struct span key, data;
	unsigned pos = 0, n = 0;
	struct cdbmap *m;

	if (cdbmap_open("cdb", &m) != CDBMAP_FOUND)
		abort();
	while ((*end = cdbmap_next(m, &pos, &key, &data)) == CDBMAP_FOUND)
		n++;
	errno = *end == CDBMAP_FAILED ? errno : 0;
	cdbmap_close(m);
	return n;
}

/* Records of 8 + 4 bytes begin at 2048.  `told`: where the head says they end, 0: as it is. */
static const struct {
	const char *name;
	off_t length;
	unsigned told;
	enum cdbmap_status end;
} ends[] = {
	{ "whole", 0, 0, CDBMAP_ABSENT },
	{ "cut behind a record", 2048 + 12 * 5, 0, CDBMAP_FAILED },
	{ "cut behind no record", 2048, 0, CDBMAP_FAILED },
	{ "cut in a record", 2048 + 12 * 5 + 9, 0, CDBMAP_FAILED },
	{ "cut in lengths", 2048 + 12 * 5 + 7, 0, CDBMAP_FAILED },
	{ "cut where tables are", 2048 + 12 * 9 + 1, 0, CDBMAP_ABSENT },
	{ "told to end earlier", 0, 2048 + 12 * 5, CDBMAP_ABSENT },
	{ "told to end in a record", 0, 2048 + 12 * 5 + 11, CDBMAP_FAILED },
	{ "told to end in lengths", 0, 2048 + 12 * 5 + 1, CDBMAP_FAILED },
	{ "told to end before it begins", 0, 2047, CDBMAP_FAILED },
	{ "told to end at 0", 0, 256, CDBMAP_FAILED },
};

/* Where the head says that the first table with slots stands, which is where records end. */
static off_t
head_of_first_table(int fd)
{
	unsigned char table[8];
	off_t at = 0;

	do {
		if (pread(fd, table, 8, at) != 8)
			abort();
		at += 8;
	} while (!table[4]);
	return at - 8;
}

/* A list is whole, or it is known that it is not. */
static void
test_ends(struct tap *t)
{
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		const unsigned char told[] = { (unsigned char)ends[i].told,
		    (unsigned char)(ends[i].told >> 8) };
		enum cdbmap_status end;
		int fd;

		(void)unlink("cdb");
		fd = open("cdb", O_RDWR | O_CREAT | O_EXCL, 0600);
		build_even(fd, 9);
		if (ends[i].told &&
		    pwrite(fd, told, sizeof told, head_of_first_table(fd)) != (ssize_t)sizeof told)
			abort();
		if (ends[i].length && ftruncate(fd, ends[i].length) == -1)
			abort();
		(void)close(fd);
		is_num(t, list(&end) == 9, ends[i].end == CDBMAP_ABSENT && !ends[i].told,
		    ends[i].name);
		ok(t, end == ends[i].end && (end != CDBMAP_FAILED || errno == EPROTO), "  its end");
	}
}

/* What a map finds, and no other, into a place of exactly that length. */
static void
test_seek(struct tap *t)
{
	char to[] = "....";
	int fd;

	build(3000);
	fd = open("cdb", O_RDONLY | O_CLOEXEC);
	ok(t, cdbmap_seek(fd, span_str("key2999"), to, 4) == CDBMAP_FOUND &&
	    strcmp(to, "2999") == 0, "sought");
	ok(t, cdbmap_seek(fd, span_str(""), to, 1) == CDBMAP_FOUND && *to == '0', "an empty key");
	ok(t, cdbmap_seek(fd, span_str("key3000"), to, 4) == CDBMAP_ABSENT, "not there");
	errno = 0;
	ok(t, cdbmap_seek(fd, span_str("key2999"), to, 3) == CDBMAP_FAILED && errno == EPROTO,
	    "too long");
	ok(t, cdbmap_seek(fd, span_str("key299"), to, 4) == CDBMAP_FAILED, "too short");
	if (truncate("cdb", 20000) == -1)
		abort();
	errno = 0;
	ok(t, cdbmap_seek(fd, span_str("key2999"), to, 4) == CDBMAP_FAILED && errno == EPROTO,
	    "cut");
	(void)close(fd);
	errno = 0;
	ok(t, cdbmap_seek(fd, span_str("key2999"), to, 4) == CDBMAP_FAILED && errno == EBADF,
	    "what cannot be read is no damage");
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
	for (int forget = 0; forget < 2; forget++) {
		test_all(&t, 0, forget);
		test_all(&t, 1, forget);
		test_all(&t, 40, forget);
		test_all(&t, 3000, forget);
	}
	test_absent(&t);
	test_cut(&t, 0);
	test_cut(&t, 2047);
	test_cut(&t, 2048);
	test_cut(&t, 20000);
	test_ends(&t);
	test_seek(&t);
	test_growth(&t);
	scratch_leave(&s);
	return done(&t);
}
