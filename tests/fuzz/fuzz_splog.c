/* splogger: entries are printable and short, do not depend on where the stream is cut, and put
 * together they are the lines of the stream. */
#include "tools/splog.h"

#include <string.h>

#include "rig.h"

const char *const fuzz_words[] = {
	"\n", "warning: x\n", "alert: oh no\n", "info", "\r", "\xff", "\x1b[0m", "%s%n",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL
};

static void
now(char out[SPLOG_STAMP])
{
	(void)strcpy(out, "1157520813.485077");
}

/* Appends the text without stamp, an LF before each line but the first, and the level. */
static void
keep(void *arg, const struct splog_entry *e)
{
	struct buf *all = arg;
	struct span text = span_str(e->text);
	struct span stamp = rig_take(&text, strchr(e->text, '+') ? '+' : ' ');

	promise(strlen(e->text) < sizeof e->text);
	promise(span_starts(span_str(e->text), span_str("1157520813.485077")));
	promise(rig_is_text(span_str(e->text)) && !strchr(e->text, '\n'));
	if (stamp.n != strlen("1157520813.485077")) {	/* a + within the text */
		text = span_str(e->text);
		(void)rig_take(&text, ' ');
	}
	promise(text.n > 0 && text.n <= SPLOG_PIECE);
	if (e->text[strlen("1157520813.485077")] == ' ')
		buf_addc(all, '\n');
	buf_addspan(all, text);
	buf_addc(all, (char)('0' + e->level));
}

static void
feed(struct span in, size_t piece, struct buf *all)
{
	struct splog s = { .emit = keep, .arg = all };

	for (; in.n; in = span_tail(in, piece))
		splog_feed(&s, span_head(in, piece), now);
	splog_end(&s);
}

/* Bytes of the lines, levels and line ends apart. */
static size_t
visible(struct span in)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++)
		n += in.p[i] != '\n';
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n);
	struct buf whole = { 0 }, cut = { 0 };
	size_t entries = 0;

	feed(in, in.n + 1, &whole);
	for (size_t piece = 1; piece < 5; piece += 3) {
		buf_reset(&cut);
		feed(in, piece, &cut);
		promise(span_eq(buf_span(&whole), buf_span(&cut)));
	}
	for (struct span rest = in; rest.n;) {
		struct span line = rig_take(&rest, '\n');

		entries += (line.n + SPLOG_PIECE - 1) / SPLOG_PIECE;
	}
	promise(visible(buf_span(&whole)) == visible(in) + entries);
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
