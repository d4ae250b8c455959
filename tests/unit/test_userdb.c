/* userdb: lines of users/assign, lookups in users/cdb. */
#include "mail/userdb.h"

#include <fcntl.h>

#include "lib/cdbmap.h"

#include "scratch.h"
#include "tap.h"

#define BYTES(literal) { (literal), sizeof(literal) - 1 }

static const struct {
	const char *name;
	struct span line;
	enum userdb_line status;
	struct span key, data;
	char wild;
} lines[] = {
	{ "simple", BYTES("=joe.shmoe:joe:503:78:/home/joe:::"), USERDB_LINE_OK,
	    BYTES("!joe.shmoe\0"), BYTES("joe\000503\00078\0/home/joe\0\0"), 0 },
	{ "wildcard", BYTES("+Sales-:joe:503:78:/home/joe:-:sales-:"), USERDB_LINE_OK,
	    BYTES("!sales-"), BYTES("joe\000503\00078\0/home/joe\0-\0sales-"), '-' },
	{ "everything", BYTES("+:alias:7790:2108:/var/qmail/alias:-::"), USERDB_LINE_OK,
	    BYTES("!"), BYTES("alias\0007790\0002108\0/var/qmail/alias\0-\0"), 0 },
	{ "wild byte is folded", BYTES("+JOE:a:1:2:/:::"), USERDB_LINE_OK,
	    BYTES("!joe"), BYTES("a\0001\0002\0/\0\0"), 'e' },
	{ "rest of the line", BYTES("=a:b:1:2:/x:::rest:of:it"), USERDB_LINE_OK,
	    BYTES("!a\0"), BYTES("b\0001\0002\0/x\0\0"), 0 },
	{ "other first byte", BYTES("xa:b:1:2:/x:::"), USERDB_LINE_OK,
	    BYTES("!a\0"), BYTES("b\0001\0002\0/x\0\0"), 0 },
	{ "empty address", BYTES("=:b:1:2:/x:::"), USERDB_LINE_OK,
	    BYTES("!\0"), BYTES("b\0001\0002\0/x\0\0"), 0 },
	{ "fields are not checked", BYTES("=a::x::y:::"), USERDB_LINE_OK,
	    BYTES("!a\0"), BYTES("\0x\0\0y\0\0"), 0 },
	{ "the end", BYTES("."), USERDB_LINE_END, BYTES(""), BYTES(""), 0 },
	{ "the end with more", BYTES(".=a:b:1:2:/x:::"), USERDB_LINE_END, BYTES(""), BYTES(""), 0 },
	{ "five colons", BYTES("=a:b:1:2:/x::"), USERDB_LINE_BAD, BYTES(""), BYTES(""), 0 },
	{ "no colon", BYTES("=a"), USERDB_LINE_BAD, BYTES(""), BYTES(""), 0 },
	{ "empty line", BYTES(""), USERDB_LINE_BAD, BYTES(""), BYTES(""), 0 },
	{ "colon first", BYTES(":a:b:1:2:/x:::"), USERDB_LINE_BAD, BYTES(""), BYTES(""), 0 },
	{ "NUL", BYTES("=a\0b:b:1:2:/x:::"), USERDB_LINE_BAD, BYTES(""), BYTES(""), 0 },
	{ "NUL at the end", BYTES("=a:b:1:2:/x:::\0"), USERDB_LINE_BAD, BYTES(""), BYTES(""), 0 },
};

static void
test_lines(struct tap *t)
{
	struct buf key = { 0 }, data = { 0 };
	char wild;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		is_num(t, userdb_parse_line(lines[i].line, &key, &data, &wild), lines[i].status,
		    lines[i].name);
		if (lines[i].status != USERDB_LINE_OK)
			continue;
		is(t, buf_span(&key), lines[i].key, "  key");
		is(t, buf_span(&data), lines[i].data, "  data");
		is_num(t, wild, lines[i].wild, "  wild");
	}
	buf_free(&key);
	buf_free(&data);
}

static const char *const assign[] = {
	"=joe-x:exact:1:1:/e:::", "+joe-:joe:2:2:/j:-::", "+joe-x-:longer:3:3:/l:-:pre-:",
	"+7:plesk:4:4:/p:::", "=Ann:first:5:5:/1:::", "=ann:second:6:6:/2:::",
	"+:rest:7:7:/r:-::",
};

static const struct {
	const char *local;
	struct span data;
} hits[] = {
	{ "joe-x", BYTES("exact\0001\0001\0/e\0\0\0") },
	{ "JOE-X", BYTES("exact\0001\0001\0/e\0\0\0") },
	{ "joe-xy", BYTES("joe\0002\0002\0/j\0-\0xy\0") },
	{ "Joe-Foo-Bar", BYTES("joe\0002\0002\0/j\0-\0Foo-Bar\0") },
	{ "joe-", BYTES("joe\0002\0002\0/j\0-\0\0") },
	{ "joe-X-Tail", BYTES("longer\0003\0003\0/l\0-\0pre-Tail\0") },
	{ "7-nobody", BYTES("plesk\0004\0004\0/p\0\0-nobody\0") },
	{ "71-info", BYTES("plesk\0004\0004\0/p\0\0" "1-info\0") },
	{ "ann", BYTES("first\0005\0005\0/1\0\0\0") },
	{ "joe", BYTES("rest\0007\0007\0/r\0-\0joe\0") },
	{ "", BYTES("rest\0007\0007\0/r\0-\0\0") },
	{ "\xc4\x41", BYTES("rest\0007\0007\0/r\0-\0\xc4\x41\0") },
};

static void
build(const char *path, const char *const *text, size_t n, bool with_end)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct cdbmap_maker *mk = fd == -1 ? NULL : cdbmap_make(fd);
	struct buf key = { 0 }, data = { 0 }, wild = { 0 };
	char c;

	if (!mk)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (userdb_parse_line(span_str(text[i]), &key, &data, &c) != USERDB_LINE_OK ||
		    cdbmap_make_add(mk, buf_span(&key), buf_span(&data)) == -1)
			abort();
		if (c)
			buf_addc(&wild, c);
	}
	if (with_end && cdbmap_make_add(mk, span_str(""), buf_span(&wild)) == -1)
		abort();
	if (cdbmap_make_finish(mk) == -1)
		abort();
	close(fd);
	buf_free(&key);
	buf_free(&data);
	buf_free(&wild);
}

static void
test_lookups(struct tap *t)
{
	struct buf data = { 0 }, tiny = BUF_CAP(3), longest = { 0 };

	build("cdb", assign, sizeof assign / sizeof assign[0], true);
	for (size_t i = 0; i < sizeof hits / sizeof hits[0]; i++) {
		is_num(t, userdb_lookup("cdb", span_str(hits[i].local), &data), USERDB_FOUND,
		    hits[i].local);
		is(t, buf_span(&data), hits[i].data, "  its data");
	}
	for (int i = 0; i < 1000; i++)
		buf_addc(&longest, '-');
	is_num(t, userdb_lookup("cdb", buf_span(&longest), &data), USERDB_FOUND, "a thousand -");
	is_num(t, userdb_lookup("cdb", span_str("ann"), &tiny), USERDB_MEMORY, "no room");
	build("cdb", assign, 6, true);
	is_num(t, userdb_lookup("cdb", span_str("joe"), &data), USERDB_ABSENT, "no entry");
	is_num(t, userdb_lookup("cdb", span_str(""), &data), USERDB_ABSENT, "empty address");
	is_num(t, userdb_lookup("none", span_str("joe"), &data), USERDB_ABSENT, "no file");
	buf_free(&data);
	buf_free(&tiny);
	buf_free(&longest);
}

/* Whatever is in the file: an answer, never a crash. */
static void
test_damage(struct tap *t)
{
	struct buf data = { 0 }, whole = { 0 };
	int fd, crazy = 0;

	build("cdb", assign, 6, false);
	is_num(t, userdb_lookup("cdb", span_str("joe"), &data), USERDB_FAILED, "no empty key");
	close(scratch_file("cdb", ""));
	is_num(t, userdb_lookup("cdb", span_str("joe"), &data), USERDB_FAILED, "empty file");
	close(scratch_file("cdb", "not a database"));
	is_num(t, userdb_lookup("cdb", span_str("joe"), &data), USERDB_FAILED, "other file");
	is_num(t, userdb_lookup(".", span_str("joe"), &data), USERDB_FAILED, "a directory");
	build("cdb", assign, 1, true);
	if ((fd = open("cdb", O_RDWR | O_CLOEXEC)) == -1 || lseek(fd, 2048, SEEK_SET) == -1 ||
	    io_write_all(fd, "\xff\xff\xff\xff", 4) == -1)
		abort();
	close(fd);
	is_num(t, userdb_lookup("cdb", span_str(hits[0].local), &data), USERDB_FAILED,
	    "a length beyond the end is no missing entry");
	build("cdb", assign, sizeof assign / sizeof assign[0], true);
	fd = open("cdb", O_RDWR | O_CLOEXEC);
	if (io_read_all(fd, &whole) != IO_OK)
		abort();
	for (size_t i = 0; i < whole.n; i += i < 2048 ? 61 : 1) {
		char bad = (char)(whole.p[i] ^ (int)(0x80 | (i & 0x7f)));

		if (lseek(fd, (off_t)i, SEEK_SET) == -1 || io_write_all(fd, &bad, 1) == -1)
			abort();
		for (size_t j = 0; j < sizeof hits / sizeof hits[0]; j++)
			crazy += userdb_lookup("cdb", span_str(hits[j].local), &data) >
			    USERDB_MEMORY;
		if (lseek(fd, (off_t)i, SEEK_SET) == -1 || io_write_all(fd, whole.p + i, 1) == -1)
			abort();
	}
	for (size_t n = whole.n; n > 0; n -= n > 2100 ? 7 : 13 < n ? 13 : n) {
		if (ftruncate(fd, (off_t)n) == -1)
			abort();
		crazy += userdb_lookup("cdb", span_str("joe-x"), &data) > USERDB_MEMORY;
	}
	is_num(t, crazy, 0, "one byte changed, or cut off: an answer each time");
	close(fd);
	buf_free(&data);
	buf_free(&whole);
}

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	scratch_enter(&scratch);
	test_lines(&t);
	test_lookups(&t);
	test_damage(&t);
	scratch_leave(&scratch);
	return done(&t);
}
