/* recips: order, both ways; the limits. */
#include "inject/recips.h"

#include <stdlib.h>

#include "tap.h"

static void
add_all(struct recips *r, const char *const *list)
{
	for (; *list; list++)
		recips_add(r, span_str(*list));
}

static void
test_order(struct tap *t)
{
	static const char *const list[] = { "a@b", "", "c@d", "a@b", NULL };
	static const char *const back[] = { "a@b", "c@d", "", "a@b", NULL };
	struct recips r = RECIPS_EMPTY;
	struct recips mark;
	struct span a = { NULL, 0 };
	size_t at = 0, i = 0;

	ok(t, !recips_next(&r, &at, &a) && !recips_previous(&r, &at, &a), "empty list");
	add_all(&r, list);
	is_num(t, (long long)r.n, 4, "count");
	for (i = 0; recips_next(&r, &at, &a); i++)
		is(t, a, span_str(list[i]), "forwards");
	is_num(t, (long long)i, 4, "forwards: all");
	at = r.text.n;
	for (i = 0; recips_previous(&r, &at, &a); i++)
		is(t, a, span_str(back[i]), "backwards");
	is_num(t, (long long)i, 4, "backwards: all");
	mark = r;
	recips_add(&r, span_str("x@y"));
	recips_rewind(&r, &mark);
	is_num(t, (long long)r.n, 4, "rewound");
	is_num(t, (long long)r.text.n, (long long)mark.text.n, "rewound: text");
	ok(t, recips_fault(&r) == FAULT_NONE, "no fault");
	recips_free(&r);
	ok(t, r.n == 0 && r.text.n == 0, "freed");
}

static void
test_count(struct tap *t)
{
	struct recips r = RECIPS_EMPTY;

	for (size_t i = 0; i < RECIPS_MAX - 1; i++)
		recips_add(&r, span_str("a"));
	ok(t, recips_fault(&r) == FAULT_NONE, "below the limit");
	recips_add(&r, span_str("a"));
	ok(t, recips_fault(&r) == FAULT_NONE && r.n == RECIPS_MAX, "at the limit");
	recips_add(&r, span_str("a"));
	ok(t, recips_fault(&r) == FAULT_RECIPIENTS, "over the limit");
	recips_add(&r, span_str("a"));
	ok(t, recips_fault(&r) == FAULT_RECIPIENTS && r.n == RECIPS_MAX, "stays over the limit");
	recips_free(&r);
}

static void
test_text(struct tap *t)
{
	static const size_t lengths[] = { RECIPS_TEXT_MAX - 2, RECIPS_TEXT_MAX - 1,
		RECIPS_TEXT_MAX };
	char *long_one = calloc(1, RECIPS_TEXT_MAX);

	if (!long_one)
		abort();
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct recips r = RECIPS_EMPTY;

		recips_add(&r, span_of(long_one, lengths[i]));
		ok(t, recips_fault(&r) == (lengths[i] < RECIPS_TEXT_MAX ? FAULT_NONE :
		    FAULT_RECIPIENTS), "%zu bytes", lengths[i] + 1);
		recips_free(&r);
	}
	free(long_one);
}

int
main(void)
{
	struct tap t = { 0 };

	test_order(&t);
	test_count(&t);
	test_text(&t);
	return done(&t);
}
