/* utf8: the edges of every range of RFC 3629. */
#include "lib/utf8.h"

#include "tap.h"

#define S(text) { text, sizeof text - 1 }

static const struct row {
	const char *name;
	struct span text;
	size_t first;		/* length of the first sequence, 0: broken */
	bool valid;
} rows[] = {
	{ "nothing", S(""), 0, true },
	{ "NUL", S("\0"), 1, true },
	{ "last ASCII", S("\x7f"), 1, true },
	{ "continuation alone, low", S("\x80"), 0, false },
	{ "continuation alone, high", S("\xbf"), 0, false },
	{ "long form C0", S("\xc0\x80"), 0, false },
	{ "long form C1", S("\xc1\xbf"), 0, false },
	{ "U+0080", S("\xc2\x80"), 2, true },
	{ "U+07FF", S("\xdf\xbf"), 2, true },
	{ "2 bytes, second low", S("\xc2\x7f"), 0, false },
	{ "2 bytes, second high", S("\xc2\xc0"), 0, false },
	{ "2 bytes, cut", S("\xc2"), 0, false },
	{ "3 bytes, long form", S("\xe0\x9f\xbf"), 0, false },
	{ "U+0800", S("\xe0\xa0\x80"), 3, true },
	{ "U+CFFF", S("\xec\xbf\xbf"), 3, true },
	{ "U+D7FF", S("\xed\x9f\xbf"), 3, true },
	{ "first surrogate", S("\xed\xa0\x80"), 0, false },
	{ "last surrogate", S("\xed\xbf\xbf"), 0, false },
	{ "U+E000", S("\xee\x80\x80"), 3, true },
	{ "U+FFFF", S("\xef\xbf\xbf"), 3, true },
	{ "3 bytes, third low", S("\xef\xbf\x7f"), 0, false },
	{ "3 bytes, cut", S("\xef\xbf"), 0, false },
	{ "4 bytes, long form", S("\xf0\x8f\xbf\xbf"), 0, false },
	{ "U+10000", S("\xf0\x90\x80\x80"), 4, true },
	{ "U+10FFFF", S("\xf4\x8f\xbf\xbf"), 4, true },
	{ "U+110000", S("\xf4\x90\x80\x80"), 0, false },
	{ "4 bytes, cut", S("\xf0\x90\x80"), 0, false },
	{ "4 bytes, fourth high", S("\xf0\x90\x80\xc0"), 0, false },
	{ "F5", S("\xf5\x80\x80\x80"), 0, false },
	{ "FF", S("\xff"), 0, false },
	{ "text", S("J\xc3\xb6rg \xe2\x82\xac"), 1, true },
	{ "broken later", S("J\xc3\xb6rg \xe2\x82"), 1, false },
	{ "Latin-1", S("J\xf6rg"), 1, false },
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];

		ok(&t, utf8_sequence(r->text) == r->first, "%s: first", r->name);
		ok(&t, utf8_valid(r->text) == r->valid, "%s: all", r->name);
	}
	return done(&t);
}
