/* idn: which name the name system is asked for, and which are none because UTS 46 or RFC 5895 would
 * make another of them, past the lists that have that. */
#include "net/idn.h"

#include "tap.h"

static const struct {
	const char *what, *name;
	enum idn_status status;
	const char *ascii;
} rows[] = {
	{ "US-ASCII", "Mail.Example", IDN_OK, "Mail.Example" },
	{ "empty", "", IDN_OK, "" },
	{ "an A-label", "xn--bcher-kva.example", IDN_OK, "xn--bcher-kva.example" },
	{ "a dot at the end", "a.example.", IDN_OK, "a.example." },
	{ "umlaut", "b\xc3\xbc" "cher.example", IDN_OK, "xn--bcher-kva.example" },
	{ "capital letters of US-ASCII", "B\xc3\xbc" "CHER.Example", IDN_OK,
	    "xn--bcher-kva.example" },
	{ "a capital letter beyond", "B\xc3\x9c" "cher.example", IDN_NONE, "" },
	{ "a U-label in capitals", "B\xc3\x9c" "CHER.EXAMPLE", IDN_NONE, "" },
	{ "decomposed", "bu\xcc\x88" "cher.example", IDN_NONE, "" },
	{ "sharp s stays", "stra\xc3\x9f" "e.example", IDN_OK, "xn--strae-oqa.example" },
	{ "final sigma stays", "\xcf\x82.example", IDN_OK, "xn--3xa.example" },
	{ "full width", "\xef\xbd\x82" "ad.example", IDN_NONE, "" },
	{ "full width beside a U-label", "\xef\xbd\x82" "ad.\xc3\xbc", IDN_NONE, "" },
	{ "full width of xn--", "\xef\xbd\x98n--bcher-kva.example", IDN_NONE, "" },
	{ "soft hyphen", "b\xc2\xad" "ad.example", IDN_NONE, "" },
	{ "ideographic full stop", "bad\xe3\x80\x82" "example", IDN_NONE, "" },
	{ "full stop of full width", "bad\xef\xbc\x8e" "example", IDN_NONE, "" },
	{ "half an ideographic full stop", "bad\xef\xbd\xa1" "example", IDN_NONE, "" },
	{ "full stop of one dot leader", "bad\xe2\x80\xa4" "example", IDN_NONE, "" },
	{ "zero width space", "b\xe2\x80\x8b" "ad.example", IDN_NONE, "" },
	{ "word joiner", "b\xe2\x81\xa0" "ad.example", IDN_NONE, "" },
	{ "byte order mark", "\xef\xbb\xbf" "bad.example", IDN_NONE, "" },
	{ "variation selector", "b\xef\xb8\x8f" "ad.example", IDN_NONE, "" },
	{ "joiner", "b\xe2\x80\x8d" "ad.example", IDN_NONE, "" },
	{ "non-joiner", "b\xe2\x80\x8c" "ad.example", IDN_NONE, "" },
	{ "joiner where its script has it",
	    "\xe0\xa6\x95\xe0\xa7\x8d\xe2\x80\x8d\xe0\xa6\xb7.example",
	    IDN_OK, "xn--p5b2ezc687j.example" },
	{ "ligature", "\xef\xac\x81x.example", IDN_NONE, "" },
	{ "Kelvin", "\xe2\x84\xaa.example", IDN_NONE, "" },
	{ "a digit above the line", "a\xc2\xb2.example", IDN_NONE, "" },
	{ "A-label beside a U-label", "\xc3\xbc.xn--f1a", IDN_NONE, "" },
	{ "U-label beside an A-label", "xn--tda.\xd0\xb6.", IDN_NONE, "" },
	{ "A-label in capitals beside it", "\xc3\xbc.XN--F1A", IDN_NONE, "" },
	{ "xn-- within a label", "axn--f1a.\xc3\xbc", IDN_OK, "axn--f1a.xn--tda" },
	{ "an underscore in it", "\xc3\xbc_a.example", IDN_NONE, "" },
	{ "Chinese", "\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd", IDN_OK,
	    "xn--fsqu00a.xn--fiqs8s" },
	{ "Cyrillic", "\xd0\xbf\xd1\x80\xd0\xb5\xd0\xb7.\xd1\x80\xd1\x84", IDN_OK,
	    "xn--e1aewe.xn--p1ai" },
	{ "Katakana with its middle dot", "\xe3\x82\xa2\xe3\x83\xbb\xe3\x82\xa2.example", IDN_OK,
	    "xn--ccka0y.example" },
	{ "two labels", "\xc3\xbc.\xd0\xb6", IDN_OK, "xn--tda.xn--f1a" },
	{ "right to left", "\xd7\x90\xd7\x91.example", IDN_OK, "xn--4dbc.example" },
	{ "a dot at the end, foreign", "b\xc3\xbc" "cher.example.", IDN_OK,
	    "xn--bcher-kva.example." },
	{ "not UTF-8", "b\xfc" "cher.example", IDN_NONE, "" },
	{ "cut", "b\xc3", IDN_NONE, "" },
	{ "an underscore beside it", "_spf.\xc3\xbc.example", IDN_OK, "_spf.xn--tda.example" },
	{ "a sign that no name has", "\xe2\x98\x83\xe2\x80\xae.example", IDN_NONE, "" },
	{ "mixed directions", "\xd7\x90" "a.example", IDN_NONE, "" },
};

int
main(void)
{
	struct tap t = { 0 };
	char label[100];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf to = { 0 };

		is_num(&t, idn_add_ascii(span_str(rows[i].name), &to), rows[i].status,
		    rows[i].what);
		is(&t, buf_span(&to), span_str(rows[i].ascii), rows[i].what);
		buf_free(&to);
	}
	memset(label, 'a', sizeof label);
	memcpy(label, "\xc3\xbc", 2);
	for (size_t n = 55; n < 60; n++) {
		struct buf to = { 0 };
		enum idn_status want = n <= 57 ? IDN_OK : IDN_NONE;

		is_num(&t, idn_add_ascii(span_of(label, n), &to), want, "length of a label");
		printf("# %zu: %s\n", n, buf_str(&to));
		buf_free(&to);
	}
	{
		struct buf to = BUF_CAP(4);

		is_num(&t, idn_add_ascii(span_str("b\xc3\xbc" "cher"), &to), IDN_MEMORY, "no room");
		is_num(&t, idn_add_ascii(span_of("\xc3\xbc\0a", 4), &to), IDN_NONE, "NUL");
		buf_free(&to);
	}
	return done(&t);
}
