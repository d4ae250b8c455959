/* The lines of .qmail files: every byte is in one line, what is handed on is clean, and the check
 * of all lines agrees with what they say one by one. */
#include "mail/dotqmail.h"

#include <stdlib.h>

#include "fuzz.h"

const char *const fuzz_words[] = {
	"\n", "#", "|", "&", "+list", "+", "./Maildir/", "./Mbox", "/abs/", "joe@x.test", " ",
	"\t", "|exit 99\n", "&joe\n", "./Mail\n", "+list\n", "#x\n", "\r", "\xff", "\1", "a", ".",
	"/", NULL
};

/* What dotqmail_check says, from the lines alone. */
static enum dotqmail_check
judge(struct span text, bool forward_only)
{
	enum dotqmail_check said = DOTQMAIL_FINE;
	struct dot_line line;
	size_t pos = 0, n = 0;

	for (; dotqmail_next(text, &pos, &line); n++) {
		if (n == 0 && line.kind == DOT_BLANK)
			return DOTQMAIL_BLANK;
		if (line.kind == DOT_LIST)
			forward_only = true;
		if (forward_only && said == DOTQMAIL_FINE) {
			if (line.kind == DOT_MAILDIR || line.kind == DOT_MBOX)
				said = DOTQMAIL_NO_FILES;
			else if (line.kind == DOT_PROGRAM)
				said = DOTQMAIL_NO_PROGRAMS;
		}
	}
	return n ? said : DOTQMAIL_BLANK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = span_of((const char *)p, n);
	struct dot_line line;
	size_t pos = 0, before = 0;

	while (dotqmail_next(text, &pos, &line)) {
		if (pos <= before || pos > n)
			abort();
		if (line.kind != DOT_NOTHING && line.kind != DOT_BLANK && line.kind != DOT_LIST &&
		    (line.text.p < text.p + before || line.text.p + line.text.n > text.p + pos))
			abort();
		for (size_t i = 0; i < line.text.n; i++)
			if (line.text.p[i] == '\n' || line.text.p[i] == '\0')
				abort();
		before = pos;
	}
	if (pos < n)
		abort();
	for (int only = 0; only < 2; only++)
		if (dotqmail_check(text, only) != judge(text, only))
			abort();
	return 0;
}
