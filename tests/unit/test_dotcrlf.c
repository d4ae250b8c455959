/* dotcrlf: every split of every sequence, both ways. */
#include "mail/dotcrlf.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/sys.h"
#include "tap.h"

#define S(text) { text, sizeof text - 1 }
#define LONGEST 64

struct decode_row {
	const char *name;
	struct span wire;
	enum dotcrlf_status status;
	struct span stored;
	size_t left;		/* bytes not used */
};

static const struct decode_row decode_rows[] = {
	{ "nothing", S(""), DOTCRLF_MORE, S(""), 0 },
	{ "empty text", S(".\r\n"), DOTCRLF_END, S(""), 0 },
	{ "one line", S("a\r\n.\r\n"), DOTCRLF_END, S("a\n"), 0 },
	{ "empty line", S("\r\n.\r\n"), DOTCRLF_END, S("\n"), 0 },
	{ "commands after the end", S("a\r\n.\r\nQUIT\r\n"), DOTCRLF_END, S("a\n"), 6 },
	{ "bare LF after the end", S("a\r\n.\r\n\n"), DOTCRLF_END, S("a\n"), 1 },
	{ "dots", S("a\r\n..\r\n.x\r\n...\r\n.\r\n"), DOTCRLF_END, S("a\n.\nx\n..\n"), 0 },
	{ "dot inside a line", S("a.\r\n.\r\n"), DOTCRLF_END, S("a.\n"), 0 },
	{ "dot dot at the start", S("..\r\n.\r\n"), DOTCRLF_END, S(".\n"), 0 },
	{ "no end", S("a\r\nb"), DOTCRLF_MORE, S("a\nb"), 0 },
	{ "CR held back", S("a\r"), DOTCRLF_MORE, S("a"), 0 },
	{ "dot held back", S("a\r\n."), DOTCRLF_MORE, S("a\n"), 0 },
	{ "dot CR held back", S("a\r\n.\r"), DOTCRLF_MORE, S("a\n"), 0 },
	{ "CR is data", S("a\rb\r\n.\r\n"), DOTCRLF_END, S("a\rb\n"), 0 },
	{ "CR at the start", S("\rb\r\n.\r\n"), DOTCRLF_END, S("\rb\n"), 0 },
	{ "CR CR LF", S("a\r\r\n.\r\n"), DOTCRLF_END, S("a\r\n"), 0 },
	{ "CR CR CR LF", S("\r\r\r\n.\r\n"), DOTCRLF_END, S("\r\r\n"), 0 },
	{ "NUL and 8 bit", S("a\0b\xff\x80\r\n.\r\n"), DOTCRLF_END, S("a\0b\xff\x80\n"), 0 },
	/* what has been used to smuggle a second message */
	{ "LF", S("a\nb\r\n.\r\n"), DOTCRLF_BARE_LF, S("a"), 6 },
	{ "LF first", S("\n.\r\n"), DOTCRLF_BARE_LF, S(""), 3 },
	{ "LF . LF", S("a\n.\nb"), DOTCRLF_BARE_LF, S("a"), 3 },
	{ "LF . CRLF", S("a\n.\r\nb"), DOTCRLF_BARE_LF, S("a"), 4 },
	{ "CRLF . LF", S("a\r\n.\nb"), DOTCRLF_BARE_LF, S("a\n"), 1 },
	{ "CRLF LF", S("a\r\n\nb"), DOTCRLF_BARE_LF, S("a\n"), 1 },
	{ "CRLF .. LF", S("a\r\n..\nb"), DOTCRLF_BARE_LF, S("a\n."), 1 },
	{ "CR . CR", S("a\r.\rb\r\n.\r\n"), DOTCRLF_END, S("a\r.\rb\n"), 0 },
	{ "CR . CRLF", S("a\r.\r\nb\r\n.\r\n"), DOTCRLF_END, S("a\r.\nb\n"), 0 },
	{ "CR . LF", S("a\r.\nb"), DOTCRLF_BARE_LF, S("a\r."), 1 },
	{ "LF . CR", S("a\n.\rb"), DOTCRLF_BARE_LF, S("a"), 3 },
	{ "CRLF . CR", S("a\r\n.\rb\r\n.\r\n"), DOTCRLF_END, S("a\n.\rb\n"), 0 },
	{ "CRLF . CR CRLF", S("\r\n.\r\r\nb\r\n.\r\n"), DOTCRLF_END, S("\n.\r\nb\n"), 0 },
	{ "CRLF . CR . CRLF", S("\r\n.\r.\r\n.\r\n"), DOTCRLF_END, S("\n.\r.\n"), 0 },
	{ "CRLF . CR CR .", S("\r\n.\r\r.\r\n.\r\n"), DOTCRLF_END, S("\n.\r\r.\n"), 0 },
	{ "CRLF . NUL CRLF", S("a\r\n.\0\r\n.\r\n"), DOTCRLF_END, S("a\n\0\n"), 0 },
	{ "CRLF NUL . CRLF", S("a\r\n\0.\r\n.\r\n"), DOTCRLF_END, S("a\n\0.\n"), 0 },
	{ "CR NUL LF", S("a\r\0\n"), DOTCRLF_BARE_LF, S("a\r\0"), 0 },
};

struct encode_row {
	const char *name;
	struct span stored;
	struct span smtp;
	struct span pop3;
};

static const struct encode_row encode_rows[] = {
	{ "nothing", S(""), S(""), S("") },
	{ "lines", S("a\n\nb\n"), S("a\r\n\r\nb\r\n"), S("a\r\n\r\nb\r\n") },
	{ "dots", S(".\n..\n.x\na.\n"), S("..\r\n...\r\n..x\r\na.\r\n"),
	    S("..\r\n...\r\n..x\r\na.\r\n") },
	{ "unfinished line", S("a\nb"), S("a\r\nb\r\n"), S("a\r\nb\r\n") },
	{ "unfinished dot", S("."), S("..\r\n"), S("..\r\n") },
	{ "stored CRLF", S("a\r\nb\r\n"), S("a\r\nb\r\n"), S("a\r\nb\r\n") },
	{ "only CR", S("\r"), S("\r\n"), S("\r\n") },
	{ "CR at the end", S("a\r"), S("a\r\n"), S("a\r\n") },
	{ "two CR at the end", S("a\r\r"), S("a \r\n"), S("a\r\r\n") },
	{ "CR inside", S("a\rb\n"), S("a b\r\n"), S("a\rb\r\n") },
	{ "CR . LF", S("x\r.\n"), S("x .\r\n"), S("x\r.\r\n") },
	{ "CR . CR LF", S("x\r.\r\n"), S("x .\r\n"), S("x\r.\r\n") },
	{ "CR . first", S("\r.\n"), S(" .\r\n"), S("\r.\r\n") },
	{ "LF CR . LF", S("x\n\r.\ny\n"), S("x\r\n .\r\ny\r\n"), S("x\r\n\r.\r\ny\r\n") },
	{ "CR CR LF . LF", S("x\r\r\n.\n"), S("x \r\n..\r\n"), S("x\r\r\n..\r\n") },
	{ "CRLF . LF", S("x\r\n.\ny\n"), S("x\r\n..\r\ny\r\n"), S("x\r\n..\r\ny\r\n") },
	{ "CR LF LF", S("\r\n\n"), S("\r\n\r\n"), S("\r\n\r\n") },
	{ "NUL and 8 bit", S("\0\xff.\n"), S("\0\xff.\r\n"), S("\0\xff.\r\n") },
};

/* Decodes in three pieces, cut at a and b. */
static bool
decodes(const struct decode_row *row, size_t a, size_t b)
{
	struct dotcrlf_decoder d = { 0 };
	enum dotcrlf_status status = DOTCRLF_MORE;
	const size_t cuts[] = { 0, a, b, row->wire.n };
	char *all = calloc(1, LONGEST);
	size_t total = 0, left = 0;
	bool pass;

	for (int i = 0; i < 3; i++) {
		struct span in = span_of(row->wire.p + cuts[i], cuts[i + 1] - cuts[i]);
		/* exactly the promised room, so that a sanitizer sees one byte more */
		char *out = malloc(in.n + DOTCRLF_DECODE_EXTRA);
		size_t n = 0;

		if (status == DOTCRLF_MORE)
			status = dotcrlf_decode(&d, &in, out, &n);
		memcpy(all + total, out, n);
		total += n;
		left += in.n;
		free(out);
	}
	pass = status == row->status && left == row->left &&
	    span_eq(span_of(all, total), row->stored);
	free(all);
	return pass;
}

static void
test_decode(struct tap *t)
{
	for (size_t i = 0; i < sizeof decode_rows / sizeof *decode_rows; i++) {
		const struct decode_row *row = &decode_rows[i];
		bool pass = true;

		for (size_t a = 0; a <= row->wire.n; a++)
			for (size_t b = a; b <= row->wire.n; b++)
				pass = decodes(row, a, b) && pass;
		ok(t, pass, "decode, cut anywhere: %s", row->name);
	}
}

/* Nothing is flushed: the buffer holds all that was sent. */
static bool
encodes(struct span stored, struct span wire, bool keep_cr, size_t a, size_t b)
{
	const size_t cuts[] = { 0, a, b, stored.n };
	struct dotcrlf_encoder e = { .keep_cr = keep_cr }, counted = { .keep_cr = keep_cr };
	struct io_out out;
	char buffer[LONGEST];

	io_out_init(&out, -1, buffer, sizeof buffer);
	for (int i = 0; i < 3; i++) {
		dotcrlf_encode(&e, &out, stored.p + cuts[i], cuts[i + 1] - cuts[i]);
		dotcrlf_encode(&counted, NULL, stored.p + cuts[i], cuts[i + 1] - cuts[i]);
	}
	dotcrlf_encode_end(&e, &out);
	dotcrlf_encode_end(&counted, NULL);
	return span_eq(span_of(buffer, out.n), wire) && e.octets == counted.octets;
}

/* The decoder must see one text in whatever the encoder sends, whatever was stored. */
static bool
survives(struct span stored, bool keep_cr, uint64_t *stuffed)
{
	struct dotcrlf_encoder e = { .keep_cr = keep_cr };
	struct dotcrlf_decoder d = { 0 };
	struct io_out out;
	char wire[4 * LONGEST], back[4 * LONGEST + DOTCRLF_DECODE_EXTRA];
	struct span in;
	size_t n;

	io_out_init(&out, -1, wire, sizeof wire);
	dotcrlf_encode(&e, &out, stored.p, stored.n);
	dotcrlf_encode_end(&e, &out);
	*stuffed = out.n - e.octets;
	io_puts(&out, ".\r\n");
	in = span_of(wire, out.n);
	for (size_t i = 0; !keep_cr && i < in.n; i++)
		if ((in.p[i] == '\r') != (i + 1 < in.n && in.p[i + 1] == '\n'))
			return false;
	return dotcrlf_decode(&d, &in, back, &n) == DOTCRLF_END && in.n == 0;
}

static void
test_encode(struct tap *t)
{
	for (size_t i = 0; i < sizeof encode_rows / sizeof *encode_rows; i++) {
		const struct encode_row *row = &encode_rows[i];
		bool pass = true;

		for (size_t a = 0; a <= row->stored.n; a++)
			for (size_t b = a; b <= row->stored.n; b++)
				pass = encodes(row->stored, row->smtp, false, a, b) &&
				    encodes(row->stored, row->pop3, true, a, b) && pass;
		ok(t, pass, "encode, cut anywhere: %s", row->name);
	}
}

/* All texts up to eight bytes over the alphabet that matters. */
static void
test_every_text(struct tap *t)
{
	static const char alphabet[] = { '\r', '\n', '.', 'x' };
	bool smtp = true, pop3 = true;
	uint64_t stuffed;

	for (unsigned code = 0; code < 1U << 16; code++) {
		char text[8];

		for (size_t i = 0; i < sizeof text; i++)
			text[i] = alphabet[(code >> (2 * i)) & 3];
		for (size_t n = 0; n <= sizeof text; n += n < 6 ? 3 : 1) {
			smtp = survives(span_of(text, n), false, &stuffed) && smtp;
			pop3 = survives(span_of(text, n), true, &stuffed) && pop3;
		}
	}
	ok(t, smtp, "SMTP: no stored text ends early or sends CR and LF apart");
	ok(t, pop3, "POP3: no stored text ends early");
	ok(t, survives((struct span)S("x\n.\n"), false, &stuffed) && stuffed == 1,
	    "a doubled dot is not counted");
}

int
main(void)
{
	struct tap t = { 0 };

	test_decode(&t);
	test_encode(&t);
	test_every_text(&t);
	return done(&t);
}
