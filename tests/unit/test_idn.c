/* idn: which name the name system is asked for; the examples of UTS 46 and RFC 5895 among them. */
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
	{ "capital letters", "B\xc3\x9c" "CHER.Example", IDN_OK, "xn--bcher-kva.example" },
	{ "decomposed", "bu\xcc\x88" "cher.example", IDN_OK, "xn--bcher-kva.example" },
	{ "sharp s stays", "stra\xc3\x9f" "e.example", IDN_OK, "xn--strae-oqa.example" },
	{ "full width", "\xef\xbd\x81.example", IDN_OK, "a.example" },
	{ "ideographic full stop", "a\xe3\x80\x82" "example", IDN_OK, "a.example" },
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
