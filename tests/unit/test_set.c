/* set: order of adding, folding, domains, many keys. */
#include "lib/set.h"

#include <stdio.h>

#include "tap.h"

static void
add(struct set *s, const char *key, const char *value)
{
	set_add(s, span_str(key), span_str(value));
}

static const char *
find(const struct set *s, const char *key)
{
	static char text[64];
	struct span value = { NULL, 0 };

	if (!set_find(s, span_str(key), &value))
		return "(absent)";
	snprintf(text, sizeof text, "%.*s", (int)value.n, value.n ? value.p : "");
	return text;
}

static void
test_small(struct tap *t)
{
	struct set s = { 0 };

	ok(t, set_finish(&s) && !set_find(&s, span_str("a"), NULL) &&
	    !set_find(&s, span_str(""), NULL), "empty set");
	set_free(&s);
	add(&s, "b.org", "1");
	add(&s, "A.org", "Two");
	add(&s, "b.ORG", "3");
	add(&s, "", "none");
	add(&s, "c", "");
	ok(t, !set_find(&s, span_str("b.org"), NULL), "nothing is found before it is finished");
	ok(t, set_finish(&s), "finished");
	is(t, span_str(find(&s, "b.org")), span_str("3"), "the last of equal keys");
	is(t, span_str(find(&s, "a.ORG")), span_str("Two"), "case of keys, of values");
	is(t, span_str(find(&s, "")), span_str("none"), "empty key");
	is(t, span_str(find(&s, "c")), span_str(""), "empty value");
	is(t, span_str(find(&s, "b.or")), span_str("(absent)"), "prefix");
	is(t, span_str(find(&s, "b.orgx")), span_str("(absent)"), "longer");
	is_num(t, (long long)s.n, 4, "doubles are gone");
	add(&s, "d", "4");
	ok(t, set_finish(&s) && strcmp(find(&s, "d"), "4") == 0 &&
	    strcmp(find(&s, "b.org"), "3") == 0, "more after it was finished");
	add(&s, "b.org", "5");
	ok(t, set_finish(&s) && strcmp(find(&s, "b.org"), "5") == 0, "a key again");
	set_free(&s);
	set_free(&s);
}

static void
test_bytes(struct tap *t)
{
	static const struct span keys[] = { { "\0", 1 }, { "a\0b", 3 }, { "a", 1 }, { "\xff", 1 },
		{ "\x80", 1 } };
	struct set s = { 0 };
	bool all = true;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		set_add(&s, keys[i], keys[i]);
	ok(t, set_finish(&s), "any bytes");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct span value = { NULL, 0 };

		all = all && set_find(&s, keys[i], &value) && span_eq(value, keys[i]);
	}
	ok(t, all, "are found");
	set_free(&s);
}

static void
test_domains(struct tap *t)
{
	static const struct {
		const char *domain, *plain, *catch_all;
	} rows[] = {
		{ "a.b.c", "full", "full" }, { "x.b.c", "sub", "sub" }, { "x.y.b.c", "sub", "sub" },
		{ "b.c", "top", "top" }, { "c", "(absent)", "all" }, { "", "all", "all" },
		{ ".b.c", "sub", "sub" }, { "x.d", "(absent)", "all" }, { "X.B.C", "sub", "sub" },
		{ "x.c", "top", "top" }, { "xb.c", "top", "top" },
	};
	struct set s = { 0 };

	add(&s, "a.b.c", "full");
	add(&s, ".b.c", "sub");
	add(&s, ".c", "top");
	add(&s, "", "all");
	ok(t, set_finish(&s), "domains");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int all = 0; all < 2; all++) {
			struct span value = span_str("(absent)");

			(void)set_find_domain(&s, span_str(rows[i].domain), all, &value);
			is(t, value, span_str(all ? rows[i].catch_all : rows[i].plain),
			    rows[i].domain);
		}
	set_free(&s);
}

/* In every order that a sort may find hard. */
static void
test_many(struct tap *t)
{
	const int n = 20000;

	for (int order = 0; order < 4; order++) {
		struct set s = { 0 };
		bool found = true;

		for (int i = 0; i < n; i++) {
			int k = order == 0 ? i : order == 1 ? n - i : order == 2 ? i * 7919 % n :
			    i % 16;
			char key[16], value[16];

			snprintf(key, sizeof key, "key%d", k);
			snprintf(value, sizeof value, "%d", i);
			add(&s, key, value);
		}
		ok(t, set_finish(&s) && s.n == (order == 3 ? 16 : (size_t)n), "order %d", order);
		for (size_t i = 1; i < s.n; i++) {
			struct span a = span_of(s.text.p + s.items[i - 1].key,
			    s.items[i - 1].key_len);
			struct span b = span_of(s.text.p + s.items[i].key, s.items[i].key_len);
			size_t len = a.n < b.n ? a.n : b.n;
			int c = memcmp(a.p, b.p, len);

			found = found && (c < 0 || (c == 0 && a.n < b.n)) &&
			    set_find(&s, a, NULL) && set_find(&s, b, NULL);
		}
		ok(t, found, "sorted and found");
		if (order == 3)
			is(t, span_str(find(&s, "key15")), span_str("19999"), "the last added");
		set_free(&s);
	}
}

static void
test_cap(struct tap *t)
{
	struct set s = { .text = BUF_CAP(4) };

	add(&s, "ab", "cd");
	ok(t, set_finish(&s), "at the cap");
	add(&s, "x", "");
	ok(t, !set_finish(&s) && s.failed, "over the cap");
	set_free(&s);
}

int
main(void)
{
	struct tap t = { 0 };

	test_small(&t);
	test_bytes(&t);
	test_domains(&t);
	test_many(&t);
	test_cap(&t);
	return done(&t);
}
