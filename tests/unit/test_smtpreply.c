/* smtpreply: replies whole, byte by byte, and hostile. */
#include "remote/smtpreply.h"

#include "tap.h"

static const struct {
	const char *what, *in;
	enum smtpreply_status status;
	unsigned code;
	const char *text;
} rows[] = {
	{ "one line", "250 ok\r\n", SMTPREPLY_DONE, 250, "250 ok\n" },
	{ "no text", "250\r\n", SMTPREPLY_DONE, 250, "250\n" },
	{ "LF alone", "250 ok\n", SMTPREPLY_DONE, 250, "250 ok\n" },
	{ "two lines", "250-a\r\n250 b\r\n", SMTPREPLY_DONE, 250, "250-a\n250 b\n" },
	{ "last line without text", "250-a\r\n250\r\n", SMTPREPLY_DONE, 250, "250-a\n250\n" },
	{ "code of the first line counts", "250-a\r\n550 b\r\n", SMTPREPLY_DONE, 250,
	    "250-a\n550 b\n" },
	{ "lowest code", "200 x\n", SMTPREPLY_DONE, 200, "200 x\n" },
	{ "highest code", "599 x\n", SMTPREPLY_DONE, 599, "599 x\n" },
	{ "odd fourth byte", "250xok\n", SMTPREPLY_DONE, 250, "250xok\n" },
	{ "more bytes stay", "250 a\r\n354 b\r\n", SMTPREPLY_DONE, 250, "250 a\n" },
	{ "control bytes", "250 a\033[1m\a\177\tb\r\n", SMTPREPLY_DONE, 250, "250 a?[1m??\tb\n" },
	{ "CR inside", "25\r0 a\rb\r\n", SMTPREPLY_DONE, 250, "250 ab\n" },
	{ "eight bits", "250 \xe9\n", SMTPREPLY_DONE, 250, "250 \xe9\n" },
	{ "unfinished", "250 ok", SMTPREPLY_MORE, 250, "250 ok" },
	{ "unfinished reply", "250-ok\r\n", SMTPREPLY_MORE, 250, "250-ok\n" },
	{ "nothing", "", SMTPREPLY_MORE, 0, "" },
	{ "first digit 1", "150 x\n", SMTPREPLY_BAD, 0, "" },
	{ "first digit 6", "600 x\n", SMTPREPLY_BAD, 0, "" },
	{ "letters", "hello\n", SMTPREPLY_BAD, 0, "" },
	{ "two digits", "25\r\n", SMTPREPLY_BAD, 25, "25" },
	{ "empty line", "\r\n", SMTPREPLY_BAD, 0, "" },
	{ "space in front", " 250 x\n", SMTPREPLY_BAD, 0, "" },
	{ "second line without code", "250-a\r\nb\r\n", SMTPREPLY_BAD, 250, "250-a\n" },
	{ "another protocol", "SSH-2.0-x\r\n", SMTPREPLY_BAD, 0, "" },
};

static void
test_rows(struct tap *t, size_t step)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum smtpreply_status status = SMTPREPLY_MORE;
		struct smtpreply r = { 0 };
		struct span rest = span_str(rows[i].in);

		while (rest.n && status == SMTPREPLY_MORE) {
			struct span piece = span_head(rest, step);
			size_t given = piece.n;

			status = smtpreply_feed(&r, &piece);
			rest = span_tail(rest, given - piece.n);
		}
		ok(t, status == rows[i].status && r.code == rows[i].code, "%s (by %zu)",
		    rows[i].what, step);
		is(t, buf_span(&r.text), span_str(rows[i].text), rows[i].what);
		smtpreply_free(&r);
	}
}

static void
test_rest(struct tap *t)
{
	struct smtpreply r = { 0 };
	struct span in = span_str("250 a\r\n354 b\r\n");

	is_num(t, smtpreply_feed(&r, &in), SMTPREPLY_DONE, "first of two");
	is(t, in, span_str("354 b\r\n"), "what follows is left alone");
	smtpreply_reset(&r);
	is_num(t, smtpreply_feed(&r, &in), SMTPREPLY_DONE, "second of two");
	is_num(t, r.code, 354, "its code");
	is_num(t, (long long)in.n, 0, "all used");
	smtpreply_free(&r);
	r = (struct smtpreply){ 0 };
	in = span_of("250 a\0b\n", 8);
	is_num(t, smtpreply_feed(&r, &in), SMTPREPLY_DONE, "NUL");
	is(t, buf_span(&r.text), span_str("250 a?b\n"), "is shown as ?");
	smtpreply_free(&r);
}

/* A reply of `lines` lines of `length` bytes with CRLF. */
static enum smtpreply_status
long_reply(struct smtpreply *r, size_t lines, size_t length)
{
	enum smtpreply_status status = SMTPREPLY_MORE;
	struct buf line = { 0 };

	*r = (struct smtpreply){ 0 };
	for (size_t i = 0; i < lines && status == SMTPREPLY_MORE; i++) {
		struct span in;

		buf_reset(&line);
		buf_adds(&line, i + 1 < lines ? "250-" : "250 ");
		while (line.n + 2 < length)
			buf_addc(&line, 'x');
		buf_adds(&line, "\r\n");
		in = buf_span(&line);
		status = smtpreply_feed(r, &in);
	}
	buf_free(&line);
	return status;
}

static void
test_limits(struct tap *t)
{
	static const struct {
		const char *what;
		size_t lines, length;
		enum smtpreply_status status;
	} limits[] = {
		{ "127 lines", SMTPREPLY_LINES_MAX - 1, 10, SMTPREPLY_DONE },
		{ "128 lines", SMTPREPLY_LINES_MAX, 10, SMTPREPLY_DONE },
		{ "129 lines", SMTPREPLY_LINES_MAX + 1, 10, SMTPREPLY_BAD },
		{ "65535 bytes", 1, SMTPREPLY_MAX - 1, SMTPREPLY_DONE },
		{ "65536 bytes", 1, SMTPREPLY_MAX, SMTPREPLY_DONE },
		{ "65537 bytes", 1, SMTPREPLY_MAX + 1, SMTPREPLY_BAD },
		{ "65536 bytes in two lines", 2, SMTPREPLY_MAX / 2, SMTPREPLY_DONE },
		{ "endless line", 1, 1000000, SMTPREPLY_BAD },
	};
	struct smtpreply r;

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		is_num(t, long_reply(&r, limits[i].lines, limits[i].length), limits[i].status,
		    limits[i].what);
		smtpreply_free(&r);
	}
	for (size_t n = SMTPREPLY_SAID_MAX - 1; n <= SMTPREPLY_SAID_MAX + 1; n++) {
		(void)long_reply(&r, 1, n + 1);		/* the CR is not kept */
		is_num(t, (long long)smtpreply_said(&r).n,
		    (long long)(n < SMTPREPLY_SAID_MAX ? n : SMTPREPLY_SAID_MAX), "what is shown");
		smtpreply_free(&r);
	}
}

static const struct {
	const char *what, *in;
	struct smtpreply_offers offers;
} greetings[] = {
	{ "nothing", "250 mx\n", { 0 } },
	{ "all", "250-mx\n250-PIPELINING\n250-SIZE 1000\n250 8BITMIME\n",
	    { .pipelining = true, .eight_bit = true, .size = true, .size_limit = 1000 } },
	{ "any case", "250-mx\n250-Pipelining\n250-size 7\n250 8bitmime\n",
	    { .pipelining = true, .eight_bit = true, .size = true, .size_limit = 7 } },
	{ "the greeting is no keyword", "250 PIPELINING\n", { 0 } },
	{ "a longer word", "250-mx\n250-SIZES 5\n250-XPIPELINING\n250 8BITMIME2\n", { 0 } },
	{ "SIZE without a number", "250-mx\n250 SIZE\n", { .size = true } },
	{ "SIZE 0", "250-mx\n250 SIZE 0\n", { .size = true } },
	{ "SIZE with garbage", "250-mx\n250 SIZE 10x\n", { .size = true } },
	{ "SIZE too large for a number", "250-mx\n250 SIZE 99999999999999999999\n",
	    { .size = true } },
	{ "parameters", "250-mx\n250-PIPELINING x y\n250 AUTH LOGIN\n",
	    { .pipelining = true, .auth = SMTPREPLY_LOGIN } },
	{ "STARTTLS", "250-mx\n250-startTLS\n250 X\n", { .starttls = true } },
	{ "no STARTTLS", "250-mx\n250-STARTTLSX\n250 XSTARTTLS\n", { 0 } },
	{ "SMTPUTF8", "250-mx\n250-smtputf8\n250 X\n", { .utf8 = true } },
	{ "no SMTPUTF8", "250-mx\n250-SMTPUTF88\n250 XSMTPUTF8\n", { 0 } },
	{ "the server's order of methods", "250-mx\n250 AUTH X PLAIN CRAM-MD5\n",
	    { .auth = SMTPREPLY_PLAIN } },
	{ "CRAM-MD5", "250-mx\n250 auth  cram-md5\n", { .auth = SMTPREPLY_CRAM_MD5 } },
	{ "methods nobody knows", "250-mx\n250-AUTH\n250 AUTH NTLM PLAINX\n", { 0 } },
	{ "the old form", "250-mx\n250 AUTH=LOGIN PLAIN\n", { .auth = SMTPREPLY_LOGIN } },
	{ "both forms", "250-mx\n250-AUTH PLAIN\n250 AUTH=LOGIN\n", { .auth = SMTPREPLY_PLAIN } },
	{ "no text", "250-mx\n250-\n250\n", { 0 } },
};

static void
test_offers(struct tap *t)
{
	for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
		const struct smtpreply_offers *want = &greetings[i].offers;
		struct span in = span_str(greetings[i].in);
		struct smtpreply r = { 0 };
		struct smtpreply_offers got;

		is_num(t, smtpreply_feed(&r, &in), SMTPREPLY_DONE, greetings[i].what);
		got = smtpreply_offers(&r);
		ok(t, got.pipelining == want->pipelining && got.eight_bit == want->eight_bit &&
		    got.size == want->size && got.size_limit == want->size_limit &&
		    got.starttls == want->starttls && got.utf8 == want->utf8 &&
		    got.auth == want->auth, "%s",
		    greetings[i].what);
		smtpreply_free(&r);
	}
}

/* Random bytes, mostly those that matter: never more kept than allowed. */
static void
test_noise(struct tap *t)
{
	static const char bytes[] = "2345019- \r\n\n\0x\xff";
	uint32_t random = 1;
	bool bounded = true;

	for (int run = 0; run < 50000; run++) {
		enum smtpreply_status status = SMTPREPLY_MORE;
		struct smtpreply r = { 0 };

		for (int i = 0; i < 100 && status == SMTPREPLY_MORE; i++) {
			char c[1];
			struct span in = { c, 1 };

			random = random * 1664525 + 1013904223;
			c[0] = bytes[(random >> 16) % (sizeof bytes - 1)];
			status = smtpreply_feed(&r, &in);
		}
		if (status == SMTPREPLY_DONE)
			bounded = bounded && r.code >= 200 && r.code <= 599 &&
			    r.text.p[r.text.n - 1] == '\n' && !smtpreply_offers(&r).size;
		smtpreply_free(&r);
	}
	ok(t, bounded, "noise is no reply, or one with a proper code");
}

int
main(void)
{
	struct tap t = { 0 };

	test_rows(&t, 1);
	test_rows(&t, 3);
	test_rows(&t, 1000);
	test_rest(&t);
	test_limits(&t);
	test_offers(&t);
	test_noise(&t);
	return done(&t);
}
