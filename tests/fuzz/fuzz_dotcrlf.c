/* Message text: decoding does not depend on where the network cuts it; whatever is stored is sent
 * as exactly one text, in which CR and LF come in pairs; text with LF line ends comes
 * back whole. */
#include "mail/dotcrlf.h"

#include <stdlib.h>

#include "fuzz.h"

const char *const fuzz_words[] = {
	"\r", "\n", "\r\n", ".", "..", "\r\n.", "\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n",
	"\r\n.\n", ".\r", "a", "bc\r\n", "bc\n", "MAIL FROM:<>\r\n", "\xff", "line\nline\n",
	"\r\r\n", NULL
};

struct result {
	enum dotcrlf_status status;
	struct buf text;
	size_t left;
};

static void
decode(struct span in, size_t piece, struct result *r)
{
	struct dotcrlf_decoder d = { 0 };

	while (in.n && r->status == DOTCRLF_MORE) {
		struct span part = span_head(in, piece);
		size_t before = part.n, n;
		/* exactly the room that is promised to be enough */
		char *out = malloc(before + DOTCRLF_DECODE_EXTRA);

		if (!out)
			abort();
		r->status = dotcrlf_decode(&d, &part, out, &n);
		buf_add(&r->text, out, n);
		free(out);
		in = span_tail(in, before - part.n);
	}
	r->left = in.n;
}

static void
check_cuts(struct span in)
{
	struct result whole = { 0 };

	decode(in, in.n, &whole);
	for (size_t piece = 1; piece < 8; piece++) {
		struct result cut = { 0 };

		decode(in, piece, &cut);
		if (cut.status != whole.status || cut.left != whole.left ||
		    !span_eq(buf_span(&cut.text), buf_span(&whole.text)))
			abort();
		buf_free(&cut.text);
	}
	buf_free(&whole.text);
}

static void
check_pairs(struct span wire)
{
	for (size_t i = 0; i < wire.n; i++)
		if ((wire.p[i] == '\r') != (i + 1 < wire.n && wire.p[i + 1] == '\n'))
			abort();
}

static void
check_sent(struct span in, bool keep_cr)
{
	struct dotcrlf_encoder e = { .keep_cr = keep_cr };
	struct result back = { 0 };
	struct io_out out;
	size_t room = 3 * in.n + 16;
	char *wire = malloc(room);

	if (!wire)
		abort();
	io_out_init(&out, -1, wire, room);
	for (struct span rest = in; rest.n; rest = span_tail(rest, 5))
		dotcrlf_encode(&e, &out, rest.p, span_head(rest, 5).n);
	dotcrlf_encode_end(&e, &out);
	io_puts(&out, ".\r\n");
	if (!keep_cr)
		check_pairs(span_of(wire, out.n));
	decode(span_of(wire, out.n), out.n, &back);
	if (back.status != DOTCRLF_END || back.left != 0)
		abort();
	if (span_chr(in, '\r') == in.n && (!span_starts(buf_span(&back.text), in) ||
	    back.text.n != in.n + (in.n && in.p[in.n - 1] != '\n')))
		abort();
	buf_free(&back.text);
	free(wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of((const char *)p, n);

	check_cuts(in);
	check_sent(in, false);
	check_sent(in, true);
	return 0;
}
