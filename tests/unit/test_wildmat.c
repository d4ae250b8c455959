/* wildmat: shell patterns over whole addresses. */
#include "smtp/wildmat.h"

#include "lib/deadline.h"
#include "tap.h"

#define LONG 1000

static const struct {
	const char *pattern, *text;
	bool match;
} rows[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "a", "", false },
	{ "a", "a", true },
	{ "a", "ab", false },
	{ "*", "", true },
	{ "*", "abc", true },
	{ "**", "abc", true },
	{ "*@*", "a@b", true },
	{ "*@*", "ab", false },
	{ "*@*.*", "a@b", false },
	{ "*@*.*", "a@b.c", true },
	{ "a*b*c", "a1b2b3c", true },
	{ "a*b*c", "a1b2b3", false },
	{ "?", "a", true },
	{ "?", "", false },
	{ "a?c", "abc", true },
	{ "[a-c]", "b", true },
	{ "[a-c]", "d", false },
	{ "[^a-c]", "d", true },
	{ "[^a-c]", "a", false },
	{ "[ab]x", "bx", true },
	{ "[]]", "]", true },
	{ "[^]]", "]", false },
	{ "[a-]", "-", true },
	{ "[-a]", "-", true },
	{ "*[0-9]@x", "joe7@x", true },
	{ "\\*", "*", true },
	{ "\\*", "a", false },
	{ "\\[a]", "[a]", true },
	{ "[a", "a", false },
	{ "a\\", "a", false },
	{ "A", "a", false },
};

static const struct {
	const char *pattern;
	bool good;
} patterns[] = {
	{ "", true }, { "*@*.*", true }, { "[a-z]", true }, { "[]]", true }, { "[^]]", true },
	{ "\\*", true }, { "[", false }, { "[a", false }, { "[]", false }, { "[^]", false },
	{ "a\\", false }, { "x[a-z", false },
};

/* Stars in front of what is not there. */
static void
test_patience(struct tap *t)
{
	char pattern[LONG], text[LONG];
	int64_t begun = deadline_now();

	for (size_t i = 0; i < LONG; i++) {
		pattern[i] = i % 2 ? 'a' : '*';
		text[i] = 'a';
	}
	pattern[LONG - 1] = 'b';
	ok(t, !wildmat_match(span_of(pattern, LONG), span_of(text, LONG)) &&
	    deadline_now() - begun < 5000, "many stars");
}

int
main(void)
{
	struct tap tap = { 0 }, *t = &tap;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(t, wildmat_match(span_str(rows[i].pattern), span_str(rows[i].text)) ==
		    rows[i].match, "`%s` and `%s`", rows[i].pattern, rows[i].text);
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		ok(t, wildmat_is_pattern(span_str(patterns[i].pattern)) == patterns[i].good,
		    "pattern `%s`", patterns[i].pattern);
	test_patience(t);
	return done(t);
}
