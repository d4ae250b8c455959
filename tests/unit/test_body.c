/* body: line ends, in pieces of every size. */
#include "inject/body.h"

#include "lib/buf.h"
#include "tap.h"

#define S(text) { text, sizeof text - 1 }

static const struct {
	const char *name;
	struct span in, plain, stripped;
} rows[] = {
	{ "nothing", S(""), S(""), S("") },
	{ "line", S("a\n"), S("a\n"), S("a\n") },
	{ "no last LF", S("a\nb"), S("a\nb\n"), S("a\nb\n") },
	{ "CRLF", S("a\r\n\r\nb\r\n"), S("a\r\n\r\nb\r\n"), S("a\n\nb\n") },
	{ "CR CR LF", S("a\r\r\nb\n"), S("a\r\r\nb\n"), S("a\nb\n") },
	{ "CR in a line", S("a\rb\r\n"), S("a\rb\r\n"), S("a\rb\n") },
	{ "CRs in a line", S("\r\ra\r\r\rb\n"), S("\r\ra\r\r\rb\n"), S("\r\ra\r\r\rb\n") },
	{ "CR at the end", S("a\r"), S("a\r\n"), S("a\n") },
	{ "only CR", S("\r\r"), S("\r\r\n"), S("\n") },
	{ "dots", S(".\n..\n"), S(".\n..\n"), S(".\n..\n") },
	{ "NUL and 8 bit", S("\0\xff\n"), S("\0\xff\n"), S("\0\xff\n") },
};

static void
put(void *arg, const char *p, size_t n)
{
	buf_add(arg, p, n);
}

static void
copy(struct span in, size_t piece, bool strip, struct buf *to)
{
	struct body b = { .strip_cr = strip, .put = put, .arg = to };

	buf_reset(to);
	for (; in.n; in = span_tail(in, piece))
		body_add(&b, span_head(in, piece));
	body_end(&b);
}

int
main(void)
{
	struct tap t = { 0 };
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t piece = 1; piece <= rows[i].in.n || piece == 1; piece++) {
			copy(rows[i].in, piece, false, &out);
			is(&t, buf_span(&out), rows[i].plain, rows[i].name);
			copy(rows[i].in, piece, true, &out);
			is(&t, buf_span(&out), rows[i].stripped, rows[i].name);
		}
	buf_free(&out);
	return done(&t);
}
