/* netstr: lengths at and around their limits, and what is written. */
#include "mail/netstr.h"

#include "tap.h"

#define ZEROS_90 "000000000000000000000000000000000000000000000000000000000000000000000000000000" \
	"000000000000"

static const struct {
	const char *text;		/* fed until the status is not MORE */
	enum netstr_status status;
	uint64_t length;
} rows[] = {
	{ "0:", NETSTR_COMPLETE, 0 },
	{ "5:hello,", NETSTR_COMPLETE, 5 },
	{ "123456789:", NETSTR_COMPLETE, 123456789 },
	{ "007:", NETSTR_COMPLETE, 7 },
	{ "000:", NETSTR_COMPLETE, 0 },
	{ "", NETSTR_MORE, 0 },
	{ "12", NETSTR_MORE, 12 },
	{ ":", NETSTR_BAD, 0 },
	{ ",", NETSTR_BAD, 0 },
	{ "-1:", NETSTR_BAD, 0 },
	{ "+1:", NETSTR_BAD, 0 },
	{ " 1:", NETSTR_BAD, 0 },
	{ "1 :", NETSTR_BAD, 0 },
	{ "1x:", NETSTR_BAD, 0 },
	{ "0x1:", NETSTR_BAD, 0 },
	{ "1\t:", NETSTR_BAD, 0 },
	{ "1\377:", NETSTR_BAD, 0 },
	{ "1999999999:", NETSTR_COMPLETE, 1999999999 },
	{ "2000000008:", NETSTR_COMPLETE, NETSTR_MAX - 1 },
	{ "2000000009:", NETSTR_COMPLETE, NETSTR_MAX },
	{ "2000000010:", NETSTR_BAD, 0 },
	{ "20000000090:", NETSTR_BAD, 0 },
	{ "4294967296:", NETSTR_BAD, 0 },
	{ "4294967301:", NETSTR_BAD, 0 },
	{ "18446744073709551616:", NETSTR_BAD, 0 },
	{ "18446744073709551621:", NETSTR_BAD, 0 },
	{ "99999999999999999999999999999999:", NETSTR_BAD, 0 },
	{ ZEROS_90 "12345678:", NETSTR_COMPLETE, 12345678 },
	{ ZEROS_90 "012345678:", NETSTR_COMPLETE, 12345678 },
	{ ZEROS_90 "0012345678:", NETSTR_BAD, 0 },
};

static void
test_head(struct tap *t)
{
	unsigned right = 0;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct netstr_head head = { 0 };
		enum netstr_status status = NETSTR_MORE;

		for (const char *p = rows[i].text; *p && status == NETSTR_MORE; p++)
			status = netstr_head(&head, *p);
		ok(t, status == rows[i].status && (status == NETSTR_BAD ||
		    head.length == rows[i].length), "length `%.40s`", rows[i].text);
	}
	for (unsigned c = 0; c < 256; c++) {
		struct netstr_head head = { .length = 1, .bytes = 1 };
		enum netstr_status want = c == ':' ? NETSTR_COMPLETE :
		    c >= '0' && c <= '9' ? NETSTR_MORE : NETSTR_BAD;

		right += netstr_head(&head, (char)c) == want;
	}
	is_num(t, right, 256, "every byte after a digit");
}

static void
test_put(struct tap *t)
{
	char buffer[64];
	struct io_out out;

	io_out_init(&out, -1, buffer, sizeof buffer);
	netstr_put(&out, span_of("a\0b", 3));
	netstr_put(&out, span_str(""));
	netstr_put_head(&out, NETSTR_MAX);
	is(t, span_of(buffer, out.n), span_of("3:a\0b,0:,2000000009:", 20), "written");
	is_num(t, (long long)netstr_size(0), 3, "size of nothing");
	is_num(t, (long long)netstr_size(9), 12, "size of 9");
	is_num(t, (long long)netstr_size(10), 14, "size of 10");
	is_num(t, (long long)netstr_size(5000000000), 5000000012, "size of 5000000000");
}

int
main(void)
{
	struct tap t = { 0 };

	test_head(&t);
	test_put(&t);
	return done(&t);
}
