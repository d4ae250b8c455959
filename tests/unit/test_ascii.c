/* ascii: every byte against the tables of RFC 20, whatever the locale. */
#include "lib/ascii.h"

#include <locale.h>

#include "tap.h"

static void
test_classes(struct tap *t)
{
	bool digit = true, alpha = true, graph = true, cntrl = true, blank = true, lower = true;

	for (int i = 0; i < 256; i++) {
		char c = (char)i;
		bool letter = (i >= 65 && i <= 90) || (i >= 97 && i <= 122);

		digit = digit && ascii_isdigit(c) == (i >= 48 && i <= 57);
		alpha = alpha && ascii_isalpha(c) == letter &&
		    ascii_isalnum(c) == (letter || ascii_isdigit(c));
		graph = graph && ascii_isgraph(c) == (i >= 33 && i <= 126);
		cntrl = cntrl && ascii_iscntrl(c) == (i < 32 || i == 127);
		blank = blank && ascii_isblank(c) == (i == 32 || i == 9);
		lower = lower && ascii_lower(c) == (i >= 65 && i <= 90 ? (char)(i + 32) : c);
	}
	ok(t, digit, "digits");
	ok(t, alpha, "letters");
	ok(t, graph, "visible bytes");
	ok(t, cntrl, "control bytes");
	ok(t, blank, "blanks");
	ok(t, lower, "folding");
}

static void
test_compare(struct tap *t)
{
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{ "", "", 0 }, { "", "a", -1 }, { "abc", "ABC", 0 }, { "abc", "ABD", -1 },
		{ "ab", "ABC", -1 }, { "b", "ABC", 1 }, { "a_", "aZ", -1 }, { "\xc4", "\xe4", -1 },
		{ "a\x7f", "a\x80", -1 }, { "[", "a", -1 }, { "[", "A", -1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span a = span_str(rows[i].a), b = span_str(rows[i].b);

		ok(t, ascii_icmp(a, b) == rows[i].order && ascii_icmp(b, a) == -rows[i].order &&
		    ascii_ieq(a, b) == !rows[i].order, "compare %zu", i);
	}
	ok(t, ascii_istarts(span_str("Received: x"), span_str("rECEIVED:")), "starts");
	ok(t, ascii_istarts(span_str("x"), span_str("")), "starts with nothing");
	is(t, ascii_trim(span_str(" \t a b\t")), span_str("a b"), "trim");
	is(t, ascii_trim(span_str("a\n")), span_str("a\n"), "trim: blanks only");
	is(t, ascii_trim(span_str("\t ")), span_str(""), "trim: nothing else");
	ok(t, !ascii_istarts(span_str("Rec"), span_str("Received")), "shorter");
	ok(t, !ascii_istarts(span_str("Xeceived"), span_str("Received")), "different");
}

int
main(void)
{
	struct tap t = { 0 };
	char text[] = "AbZ\xc4[@`{";

	(void)setlocale(LC_ALL, "");
	test_classes(&t);
	test_compare(&t);
	ascii_lower_n(text, sizeof text - 1);
	is(&t, span_str(text), span_str("abz\xc4[@`{"), "fold in place");
	ascii_lower_n(NULL, 0);
	return done(&t);
}
