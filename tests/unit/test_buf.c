/* buf and span: growth, the cap, sticky failure. */
#include "lib/buf.h"

#include "tap.h"

static void
test_empty(struct tap *t)
{
	struct buf b = { 0 };

	ok(t, buf_ok(&b) && b.n == 0 && *buf_str(&b) == '\0', "empty");
	ok(t, span_eq(buf_span(&b), span_of(NULL, 0)), "empty span");
	buf_add(&b, NULL, 0);
	ok(t, buf_ok(&b) && b.n == 0, "nothing added");
	buf_cut(&b, 5);
	buf_drop(&b, 5);
	buf_reset(&b);
	ok(t, buf_ok(&b) && b.n == 0, "cut, drop, reset of an empty one");
	buf_free(&b);
	buf_free(&b);
	ok(t, b.p == NULL, "freed twice");
}

static void
test_adds(struct tap *t)
{
	struct buf b = { 0 }, more = { 0 };

	buf_adds(&b, "ab");
	buf_addc(&b, 'c');
	buf_add(&b, "d\0e", 3);
	buf_addspan(&b, span_str("f"));
	buf_addnum(&b, 0);
	buf_addnum(&b, UINT64_MAX);
	buf_adds(&more, "gh");
	buf_addbuf(&b, &more);
	is(t, buf_span(&b), span_of("abcd\0ef018446744073709551615gh", 30), "all adds");
	ok(t, b.p[b.n] == '\0', "NUL behind");
	buf_cut(&b, 3);
	ok(t, strcmp(buf_str(&b), "abc") == 0, "cut");
	buf_cut(&b, 4);
	is_num(t, (long long)b.n, 3, "cut to more than there is");
	buf_drop(&b, 1);
	ok(t, strcmp(buf_str(&b), "bc") == 0, "drop");
	buf_drop(&b, 0);
	buf_drop(&b, 9);
	ok(t, b.n == 0 && *b.p == '\0', "drop more than there is");
	memcpy(buf_room(&b, 4), "wxyz", 4);
	buf_added(&b, 3);
	ok(t, strcmp(buf_str(&b), "wxy") == 0, "room and added");
	buf_free(&b);
	buf_free(&more);
}

static void
test_cap(struct tap *t)
{
	struct buf b = BUF_CAP(10), copy = { 0 };

	buf_adds(&b, "123456789");
	ok(t, buf_ok(&b), "below the cap");
	buf_addc(&b, '0');
	ok(t, buf_ok(&b) && b.n == 10, "at the cap");
	buf_add(&b, "", 0);
	ok(t, buf_ok(&b), "nothing more");
	buf_addc(&b, 'x');
	ok(t, !buf_ok(&b) && b.over && b.n == 10, "over the cap");
	buf_cut(&b, 0);
	buf_addc(&b, 'x');
	ok(t, !buf_ok(&b) && b.n == 0, "failure sticks");
	ok(t, !buf_room(&b, 1), "no room after a failure");
	buf_addbuf(&copy, &b);
	ok(t, !buf_ok(&copy) && copy.over, "a failed source fails the target");
	buf_reset(&b);
	buf_addc(&b, 'y');
	ok(t, buf_ok(&b) && strcmp(buf_str(&b), "y") == 0, "usable after reset");
	buf_free(&b);
	buf_adds(&b, "12345678901");
	ok(t, !buf_ok(&b), "free keeps the cap");
	buf_free(&b);
	buf_free(&copy);
}

static void
test_default_cap(struct tap *t)
{
	struct buf b = { 0 };

	ok(t, buf_room(&b, BUF_MAX_DEFAULT) != NULL, "default cap");
	ok(t, !buf_room(&b, BUF_MAX_DEFAULT + 1) && b.over, "over the default cap");
	buf_free(&b);
	buf_init(&b, SIZE_MAX / 2);
	buf_addc(&b, 'x');
	ok(t, !buf_room(&b, SIZE_MAX) && b.over, "sum that would wrap");
	buf_free(&b);
}

static void
test_growth(struct tap *t)
{
	struct buf b = { 0 };
	bool same = true;

	for (int i = 0; i < 100000; i++)
		buf_addc(&b, (char)(i % 251));
	for (int i = 0; i < 100000; i++)
		same = same && b.p[i] == (char)(i % 251);
	ok(t, same && b.n == 100000 && b.size > b.n && b.size <= 2 * b.n + 128, "100,000 bytes");
	buf_free(&b);
}

static void
test_span(struct tap *t)
{
	const struct span s = span_str("a.b.c"), none = span_of(NULL, 0);

	ok(t, span_eq(none, span_str("")) && span_eq(span_str(NULL), none), "empty spans");
	ok(t, !span_eq(s, span_str("a.b")) && !span_eq(s, span_str("a.b.d")), "different");
	ok(t, span_starts(s, span_str("a.")) && span_starts(s, none) && span_starts(s, s),
	    "starts");
	ok(t, !span_starts(s, span_str("a.b.c.")) && !span_starts(s, span_str("b")), "does not");
	ok(t, span_chr(s, '.') == 1 && span_rchr(s, '.') == 3, "first and last byte");
	ok(t, span_chr(s, 'x') == 5 && span_rchr(s, 'x') == 5, "no such byte");
	ok(t, span_chr(none, 'x') == 0 && span_rchr(none, 'x') == 0, "in nothing");
	is(t, span_head(s, 3), span_str("a.b"), "head");
	is(t, span_head(s, 9), s, "head, more than there is");
	is(t, span_tail(s, 4), span_str("c"), "tail");
	is(t, span_tail(s, 5), none, "tail of all");
	is(t, span_tail(s, 9), none, "tail, more than there is");
	is(t, span_tail(none, 1), none, "tail of nothing");
}

static void
test_wipe(struct tap *t)
{
	struct buf b = BUF_CAP(4);

	buf_wipe(&b);
	buf_adds(&b, "12345");
	ok(t, !buf_ok(&b), "over the cap");
	buf_wipe(&b);
	ok(t, !b.p && b.n == 0 && b.size == 0 && b.max == 4, "wiped: empty, the cap stays");
	buf_adds(&b, "1234");
	is(t, buf_span(&b), span_str("1234"), "  usable again");
	buf_wipe(&b);
}

int
main(void)
{
	struct tap t = { 0 };

	test_empty(&t);
	test_adds(&t);
	test_cap(&t);
	test_default_cap(&t);
	test_growth(&t);
	test_span(&t);
	test_wipe(&t);
	return done(&t);
}
