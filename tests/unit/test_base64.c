/* base64: RFC 4648's vectors, both ways, and what is no base64. */
#include "lib/base64.h"

#include "tap.h"

#define S(text) text, sizeof text - 1

static const struct {
	const char *bytes;
	size_t n;
	const char *text;
} pairs[] = {
	{ S(""), "" },			/* RFC 4648, 10 */
	{ S("f"), "Zg==" },
	{ S("fo"), "Zm8=" },
	{ S("foo"), "Zm9v" },
	{ S("foob"), "Zm9vYg==" },
	{ S("fooba"), "Zm9vYmE=" },
	{ S("foobar"), "Zm9vYmFy" },
	{ S("\0tim\0tanstaaftanstaaf"), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm" },	/* RFC 2595, 6 */
	{ S("\x14\xfb\x9c\x03\xd9\x7e"), "FPucA9l+" },
	{ S("\xff\xff\xff"), "////" },
	{ S("\0\0\0"), "AAAA" },
	{ S("Username:"), "VXNlcm5hbWU6" },
};

static const struct {
	const char *text;
	size_t n;
} bad[] = {
	{ S("Z") }, { S("Zg") }, { S("Zg=") }, { S("Zm8") }, { S("=") }, { S("====") },
	{ S("Z===") }, { S("Zg=a") }, { S("Zg==Zg==") }, { S("Zm8=Zm9v") }, { S("Zh==") },
	{ S("Zm9=") }, { S("Zm 9v") }, { S(" Zm9v") }, { S("Zm9v ") }, { S("Zm9v\r") },
	{ S("Zm-_") }, { S("Zm9*") }, { S("Zm9\0") }, { S("\0\0\0\0") }, { S("Zm9\xff") },
	{ S("*") }, { S("Zm9v====") }, { S("Zm9vZ") },
};

int
main(void)
{
	struct tap t = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		buf_reset(&b);
		base64_encode(&b, span_of(pairs[i].bytes, pairs[i].n));
		is(&t, buf_span(&b), span_str(pairs[i].text), "encoded");
		buf_reset(&b);
		ok(&t, base64_decode(&b, span_str(pairs[i].text)), "%s is base64", pairs[i].text);
		is(&t, buf_span(&b), span_of(pairs[i].bytes, pairs[i].n), "decoded");
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		buf_reset(&b);
		buf_adds(&b, "kept");
		ok(&t, !base64_decode(&b, span_of(bad[i].text, bad[i].n)), "`%s` is none",
		    bad[i].text);
		is(&t, buf_span(&b), span_str("kept"), "nothing is added");
	}
	for (size_t cap = 1; cap <= 5; cap++) {
		struct buf small = BUF_CAP(cap);

		ok(&t, base64_decode(&small, span_str("Zm9v")) == (cap >= 3),
		    "three bytes into room for %zu", cap);
		buf_free(&small);
	}
	buf_free(&b);
	return done(&t);
}
