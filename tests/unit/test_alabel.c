/* alabel: Punycode by the samples of RFC 3492, 7.1, and names around them. */
#include "lib/alabel.h"

#include "net/idn.h"
#include "tap.h"

static const struct {
	const char *what, *in, *want;	/* NULL: as it is */
} rows[] = {
	{ "US-ASCII", "Mail.Example", NULL },
	{ "empty", "", NULL },
	{ "dots", "...", NULL },
	{ "an A-label", "xn--BCHER-kva.example", NULL },
	{ "one letter", "\303\274", "xn--tda" },
	{ "letters around it", "b\303\274cher.Example", "xn--bcher-kva.Example" },
	{ "capitals of US-ASCII", "B\303\274CHER", "xn--bcher-kva" },
	{ "a suffix", ".b\303\274cher.example", ".xn--bcher-kva.example" },
	{ "a dot at the end", "\303\274.", "xn--tda." },
	{ "two labels", "\303\274.\303\274", "xn--tda.xn--tda" },
	{ "an address", "Info@b\303\274cher", "Info@xn--bcher-kva" },
	{ "only the domain of it", "\303\274@b\303\274cher", "\303\274@xn--bcher-kva" },
	{ "nothing to be done there", "\303\274@example", NULL },
	{ "the last @", "a@\303\274@\303\274", "a@\303\274@xn--tda" },
	{ "no local part", "@\303\274", "@xn--tda" },
	{ "Latin-1", "b\374cher", NULL },
	{ "one label that is no UTF-8", "\303\274.b\374cher", NULL },
	{ "half a letter", "b\303", NULL },
	/* RFC 3492, 7.1 */
	{ "(B) Chinese", "\344\273\226\344\273\254\344\270\272\344\273\200\344\271\210\344\270\215"
	    "\350\257\264\344\270\255\346\226\207", "xn--ihqwcrb4cv8a8dqg056pqjye" },
	{ "(D) Czech", "pro\304\215prost\304\233nemluv\303\255\304\215esky",
	    "xn--proprostnemluvesky-uyb24dma41a" },
	{ "(P) Japanese", "maji\343\201\247koi\343\201\231\343\202\2135\347\247\222\345\211\215",
	    "xn--majikoi5-783gue6qz075azm5e" },
	{ "(S) hyphens", "-> $1.00 <-", NULL },
	{ "four bytes", "\360\237\220\230", "xn--go8h" },
	{ "the last code point", "\364\217\277\277", "xn--dn32g" },
};

static void
test_rows(struct tap *t)
{
	char room[ALABEL_NAME_MAX];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span in = span_str(rows[i].in), got = alabel_fold(in, room);

		is(t, got, rows[i].want ? span_str(rows[i].want) : in, rows[i].what);
	}
}

/* `a`s and one u umlaut: below, at and above what a label may have, which is `xn--`, the letters,
 * `-` and three more that say where the umlaut is. */
static void
test_label(struct tap *t)
{
	char text[100], room[ALABEL_NAME_MAX];

	for (size_t n = 50; n < 62; n++) {
		struct span got;
		bool fits;

		memset(text, 'a', n);
		memcpy(text + n, "\303\274", 2);
		got = alabel_fold(span_of(text, n + 2), room);
		fits = got.p != text;
		ok(t, !fits || got.n <= ALABEL_LABEL_MAX, "%zu letters: not too long", n);
		ok(t, fits == (n <= 55), "%zu letters: as long as a label may be", n);
	}
}

/* At and above the length of a name. */
static void
test_name(struct tap *t)
{
	char text[2 * ALABEL_NAME_MAX], room[ALABEL_NAME_MAX];

	for (size_t n = ALABEL_NAME_MAX - 8; n < ALABEL_NAME_MAX - 5; n++) {
		memset(text, 'a', n);
		text[n - 1] = '.';
		memcpy(text + n, "\303\274", 2);
		ok(t, (alabel_fold(span_of(text, n + 2), room).n == n + 7) ==
		    (n + 7 <= ALABEL_NAME_MAX), "%zu bytes in all", n + 7);
		text[n - 1] = '@';
		ok(t, (alabel_fold(span_of(text, n + 2), room).n == n + 7) ==
		    (n + 7 <= ALABEL_NAME_MAX), "an address of %zu bytes", n + 7);
	}
	memset(text, 'a', sizeof text);
	memcpy(text + sizeof text - 3, "@\303\274", 3);
	ok(t, alabel_fold(span_of(text, sizeof text), room).p == text, "far too long");
}

static void
test_same(struct tap *t)
{
	ok(t, alabel_ieq(span_str("B\303\274cher.example"), span_str("XN--bcher-KVA.Example")),
	    "U-label and A-label");
	ok(t, alabel_ieq(span_str("a.example"), span_str("A.example")), "US-ASCII");
	ok(t, !alabel_ieq(span_str("b\303\234cher"), span_str("b\303\274cher")),
	    "what would have to be mapped");
	ok(t, !alabel_ieq(span_str("bucher"), span_str("b\303\274cher")), "others");
}

/* Where the name system has a name at all, it is the same one. */
static void
test_against_idn(struct tap *t)
{
	static const char *const names[] = { "b\303\274cher.example", "stra\303\237e.example",
		"\317\202.example", "\344\276\213\343\201\210.\343\203\206\343\202\271\343\203\210",
		"\320\277\321\200\320\270\320\274\320\265\321\200.\321\200\321\204" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char room[ALABEL_NAME_MAX];
		struct buf asked = { 0 };

		is_num(t, idn_add_ascii(span_str(names[i]), &asked), IDN_OK, "there is such one");
		is(t, alabel_fold(span_str(names[i]), room), buf_span(&asked), "  which is this");
		buf_free(&asked);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_rows(&t);
	test_label(&t);
	test_name(&t);
	test_same(&t);
	test_against_idn(&t);
	return done(&t);
}
