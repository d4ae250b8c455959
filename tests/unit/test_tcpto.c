/* tcpto: the rules of the table, byte for byte, and files of wrong sizes. */
#include "queue/tcpto.h"

#include <errno.h>

#include "queuedir.h"
#include "tap.h"

#define T0 1000000000

static const struct tcpto_address a4 = { { 10, 0, 0, 1 }, false };
static const struct tcpto_address b4 = { { 10, 0, 0, 2 }, false };
static const struct tcpto_address a6 = { { 0x20, 1, 0xd, 0xb8, [15] = 1 }, true };

static size_t
load(const char *path, char *bytes, size_t size)
{
	int fd = queuedir_open(path);
	ssize_t n = io_read(fd, bytes, size);

	(void)close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void
zero(const char *path, size_t n)
{
	static const char zeros[4096];

	queuedir_put(path, zeros, n);
}

static void
test_life(struct tap *t, const struct tcpto_address *a, const char *kind)
{
	ok(t, tcpto_query(a, T0, 0) == TCPTO_UNKNOWN, "%s: unknown at first", kind);
	tcpto_timed_out(a, T0);
	ok(t, tcpto_query(a, T0, 0) == TCPTO_LATER, "%s: one timeout is not enough", kind);
	tcpto_timed_out(a, T0 + 119);
	ok(t, tcpto_query(a, T0 + 119, 0) == TCPTO_LATER,
	    "%s: the next within 120 s does not count", kind);
	ok(t, tcpto_query(a, T0 + 120, 0) == TCPTO_KNOWN, "%s: then it is first again", kind);
	ok(t, tcpto_query(a, T0 - 119, 0) == TCPTO_LATER, "%s: another clock", kind);
	ok(t, tcpto_query(a, T0 - 120, 0) == TCPTO_KNOWN, "%s: quite another", kind);
	tcpto_timed_out(a, T0 + 120);
	ok(t, tcpto_query(a, T0 + 120, 0) == TCPTO_SKIP, "%s: two are", kind);
	ok(t, tcpto_query(a, T0 + 120 + 60 * 64 - 1, 0) == TCPTO_SKIP, "%s: last second", kind);
	ok(t, tcpto_query(a, T0 + 120 + 60 * 64, 0) == TCPTO_KNOWN, "%s: over", kind);
	ok(t, tcpto_query(a, T0 + 120 + 91 * 64 - 1, 31 + 32) == TCPTO_SKIP,
	    "%s: longer for other processes", kind);
	ok(t, tcpto_query(a, T0 + 120 + 91 * 64, 31) == TCPTO_KNOWN, "%s: at most that", kind);
	ok(t, tcpto_query(a, T0 + 120 - 60 * 64 + 1, 0) == TCPTO_SKIP, "%s: clock set back",
	    kind);
	ok(t, tcpto_query(a, T0 + 120 - 60 * 64, 0) == TCPTO_KNOWN, "%s: set far back", kind);
	tcpto_answered(a, TCPTO_UNKNOWN);
	ok(t, tcpto_query(a, T0 + 120, 0) == TCPTO_SKIP, "%s: answer of a host not known", kind);
	tcpto_answered(a, TCPTO_KNOWN);
	ok(t, tcpto_query(a, T0 + 120, 0) == TCPTO_KNOWN, "%s: an answer clears it", kind);
	tcpto_timed_out(a, T0);
	tcpto_timed_out(a, T0 - 119);
	ok(t, tcpto_query(a, T0, 0) == TCPTO_LATER, "%s: just before does not count", kind);
	tcpto_timed_out(a, T0 - 120);
	ok(t, tcpto_query(a, T0 - 120, 0) == TCPTO_SKIP, "%s: with the clock set back it does",
	    kind);
	tcpto_answered(a, TCPTO_LATER);
	ok(t, tcpto_query(a, T0 - 120, 0) == TCPTO_KNOWN, "%s: an answer clears it again", kind);
}

static void
test_bytes(struct tap *t)
{
	static const char want[16] = { 10, 0, 0, 1, 10 };
	char got[TCPTO_RECORDS * TCPTO_RECORD_SIZE + 1], record[16];
	size_t n;

	tcpto_clear("queue/lock");
	for (int64_t i = 0; i < 12; i++)
		tcpto_timed_out(&a4, 0x01020304 + i * 120);
	n = load("queue/lock/tcpto", got, sizeof got);
	is_num(t, (long long)n, 1024, "the file keeps its size");
	memcpy(record, want, sizeof record);
	memcpy(record + 8, "\x2c\x08\x02\x01", 4);	/* 0x01020304 + 11 * 120 */
	is(t, span_of(got, 16), span_of(record, 16), "count stops at 10; time is little-endian");
	tcpto_timed_out(&b4, T0);
	(void)load("queue/lock/tcpto", got, sizeof got);
	is(t, span_of(got, 16), span_of(record, 16), "the first record is left alone");
	is(t, span_of(got + 16, 16), span_of("\x0a\0\0\2\1\0\0\0\0\xca\x9a\x3b\0\0\0\0", 16),
	    "the first free one is taken");
}

static struct tcpto_address
number(unsigned i)
{
	return (struct tcpto_address){ { 192, 0, 2, (unsigned char)i }, false };
}

static void
test_full(struct tap *t)
{
	struct tcpto_address a, x = { { 9, 9, 9, 9 }, false };

	tcpto_clear("queue/lock");
	for (unsigned i = 0; i < TCPTO_RECORDS; i++) {
		a = number(i);
		tcpto_timed_out(&a, T0 + (i == 33 ? 0 : 500));
	}
	a = number(20);		/* younger, but with one timeout more than all others */
	tcpto_timed_out(&a, T0 + 620);
	tcpto_timed_out(&x, T0 + 700);
	a = number(33);
	ok(t, tcpto_query(&a, T0, 0) == TCPTO_UNKNOWN, "the least of a full table goes");
	ok(t, tcpto_query(&x, T0, 0) == TCPTO_KNOWN, "for the new one");
	a = number(20);
	ok(t, tcpto_query(&a, T0 + 700, 0) == TCPTO_SKIP, "timeouts count for more than age");
}

static void
test_files(struct tap *t)
{
	tcpto_clear("queue/lock");
	zero("queue/lock/tcpto", 0);
	tcpto_timed_out(&a4, T0);
	ok(t, tcpto_query(&a4, T0, 0) == TCPTO_UNKNOWN, "empty file: no records");
	zero("queue/lock/tcpto", 31);
	tcpto_timed_out(&a4, T0);
	tcpto_timed_out(&b4, T0 + 1);
	ok(t, tcpto_query(&a4, T0, 0) == TCPTO_UNKNOWN && tcpto_query(&b4, T0, 0) == TCPTO_LATER,
	    "31 bytes: one record");
	zero("queue/lock/tcpto", 2048);
	ok(t, tcpto_query(&a4, T0, 0) == TCPTO_UNKNOWN, "long file");
	zero("queue/lock/tcpto6", 0);
	test_life(t, &a6, "v6, empty file");
	(void)unlink("queue/lock/tcpto");
	tcpto_timed_out(&a4, T0);
	ok(t, tcpto_query(&a4, T0, 0) == TCPTO_UNKNOWN, "no file");
	tcpto_answered(&a4, TCPTO_KNOWN);
	tcpto_clear("queue/lock");
	ok(t, !queuedir_has("queue/lock/tcpto"), "and none made");
}

static void
test_decode(struct tap *t)
{
	static const char v4[] = "\x0a\0\0\1\3\0\0\0\0\xca\x9a\x3b\0\0\0\0"
	    "\x0a\0\0\2\0\0\0\0\0\xca\x9a\x3b\0\0\0\0"
	    "\xc0\0\2\xff\xff\0\0\0\xff\xff\xff\xff\0\0\0\0" "\1\2\3\4\5";
	struct tcpto_entry e[TCPTO_RECORDS];

	is_num(t, (long long)tcpto_decode(span_of(v4, sizeof v4 - 1), false, e), 2,
	    "free and cut records are left out");
	ok(t, e[0].count == 3 && e[0].when == T0 &&
	    memcmp(e[0].address.bytes, "\x0a\0\0\1", 4) == 0, "first");
	ok(t, e[1].count == 255 && e[1].when == 0xffffffffLL && e[1].address.bytes[3] == 255,
	    "bytes are unsigned");
	is_num(t, (long long)tcpto_decode(span_of(NULL, 0), true, e), 0, "nothing");
}

static void
test_list(struct tap *t)
{
	struct tcpto_entry e[TCPTO_RECORDS];
	char got[TCPTO_RECORDS * TCPTO6_RECORD_SIZE];
	size_t n;

	zero("queue/lock/tcpto", 1024);
	zero("queue/lock/tcpto6", 2048);
	tcpto_timed_out(&a4, T0);
	tcpto_timed_out(&b4, T0 + 1);
	tcpto_timed_out(&a6, T0 + 2);
	ok(t, tcpto_list("queue/lock", false, e, &n) == TCPTO_OK && n == 2 && e[1].when == T0 + 1,
	    "list of v4");
	ok(t, tcpto_list("queue/lock", true, e, &n) == TCPTO_OK && n == 1 &&
	    memcmp(e[0].address.bytes, a6.bytes, 16) == 0, "list of v6");
	ok(t, tcpto_reset("queue/lock", false) == TCPTO_OK &&
	    tcpto_list("queue/lock", false, e, &n) == TCPTO_OK && n == 0, "reset of v4");
	ok(t, tcpto_list("queue/lock", true, e, &n) == TCPTO_OK && n == 1, "leaves v6 alone");
	ok(t, tcpto_reset("queue/lock", true) == TCPTO_OK &&
	    tcpto_list("queue/lock", true, e, &n) == TCPTO_OK && n == 0, "reset of v6");
	ok(t, load("queue/lock/tcpto", got, sizeof got) == 1024 &&
	    load("queue/lock/tcpto6", got, sizeof got) == 2048, "sizes as before");
	(void)unlink("queue/lock/tcpto");
	(void)unlink("queue/lock/tcpto6");
	ok(t, tcpto_list("queue/lock", false, e, &n) == TCPTO_OPEN && n == 0 && errno == ENOENT &&
	    tcpto_reset("queue/lock", false) == TCPTO_OPEN, "no file for v4");
	ok(t, tcpto_list("queue/lock", true, e, &n) == TCPTO_OK && n == 0 &&
	    tcpto_reset("queue/lock", true) == TCPTO_OK && !queuedir_has("queue/lock/tcpto6"),
	    "none for v6 is an empty one");
	ok(t, mkdir("queue/lock/tcpto6", 0700) == 0 &&
	    tcpto_list("queue/lock", true, e, &n) == TCPTO_OPEN && errno == EISDIR,
	    "a directory for v6 is not");
}

int
main(void)
{
	struct tap t = { 0 };
	char top[64];

	queuedir_enter(top, false);
	if (mkdir("queue", 0700) == -1 || mkdir("queue/lock", 0700) == -1)
		queuedir_die("mkdir");
	zero("queue/lock/tcpto", 1024);
	zero("queue/lock/tcpto6", 2048);
	test_life(&t, &a4, "v4");
	test_life(&t, &a6, "v6");
	test_bytes(&t);
	test_full(&t);
	test_files(&t);
	test_decode(&t);
	test_list(&t);
	queuedir_leave(top);
	return done(&t);
}
