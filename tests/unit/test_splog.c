/* splog: lines to entries, by pieces of any size. */
#include "tools/splog.h"

#include "lib/buf.h"
#include "tap.h"

#define Y10 "yyyyyyyyyy"
#define Y100 Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y10
#define Y9 "yyyyyyyyy"
#define Y99 Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y9
#define Y799 Y100 Y100 Y100 Y100 Y100 Y100 Y100 Y99

static const struct {
	const char *what, *in, *out;	/* out: level, text, LF */
} rows[] = {
	{ "one line", "hello\n", "I12.000345 hello\n" },
	{ "two lines", "a\nb\n", "I12.000345 a\nI12.000345 b\n" },
	{ "no newline at the end", "a\nb", "I12.000345 a\nI12.000345 b\n" },
	{ "empty lines", "\n\na\n\n", "I12.000345 a\n" },
	{ "nothing", "", "" },
	{ "warning", "warning: x\n", "W12.000345 warning: x\n" },
	{ "alert", "alert: x\n", "A12.000345 alert: x\n" },
	{ "not at the start", " alert: x\n", "I12.000345  alert: x\n" },
	{ "a longer word", "alerts\nwarnings\n", "I12.000345 alerts\nI12.000345 warnings\n" },
	{ "the next line starts afresh", "alert: x\ny\n", "A12.000345 alert: x\nI12.000345 y\n" },
	{ "odd bytes", "a\tb\177\377\33~ \n", "I12.000345 a?b???~ \n" },
	{ "799 bytes", Y799 "\n", "I12.000345 " Y799 "\n" },
	{ "800 bytes", Y799 "z\n", "I12.000345 " Y799 "\nI12.000345+z\n" },
	{ "1598 bytes", Y799 Y799 "\n", "I12.000345 " Y799 "\nI12.000345+" Y799 "\n" },
	{ "1599 bytes", Y799 Y799 "z\nb", "I12.000345 " Y799 "\nI12.000345+" Y799
	    "\nI12.000345+z\nI12.000345 b\n" },
	{ "further pieces keep the level", "alert:" Y799 "\n", NULL },
};

static void
now(char out[SPLOG_STAMP])
{
	memcpy(out, "12.000345", sizeof "12.000345");
}

static void
collect(void *arg, const struct splog_entry *entry)
{
	buf_addc(arg, "IWA"[entry->level]);
	buf_adds(arg, entry->text);
	buf_addc(arg, '\n');
}

static void
run(const char *in, size_t step, struct buf *out)
{
	struct splog s = { .emit = collect, .arg = out };
	struct span rest = span_str(in);

	buf_reset(out);
	while (rest.n) {
		splog_feed(&s, span_head(rest, step), now);
		rest = span_tail(rest, step);
	}
	splog_end(&s);
}

int
main(void)
{
	static const size_t steps[] = { 1, 7, 10000 };
	struct tap t = { 0 };
	struct buf out = { 0 };

	for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			run(rows[i].in, steps[step], &out);
			if (rows[i].out)
				is(&t, buf_span(&out), span_str(rows[i].out), rows[i].what);
			else
				ok(&t, strstr(buf_str(&out), "\nA12.000345+yyyyyy\n") != NULL, "%s",
				    rows[i].what);
		}
	buf_free(&out);
	return done(&t);
}
