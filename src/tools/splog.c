/* splog - cuts a stream into the entries that splogger hands to syslog. */
#include "tools/splog.h"

#include <stdio.h>
#include <string.h>

static enum splog_level
level_of(struct span line)
{
	if (span_starts(line, span_str("alert:")))
		return SPLOG_ALERT;
	return span_starts(line, span_str("warning:")) ? SPLOG_WARNING : SPLOG_INFO;
}

static void
emit_piece(struct splog *s)
{
	struct splog_entry entry;

	if (!s->further)
		s->level = level_of(span_of(s->piece, s->n));
	entry.level = s->level;
	(void)snprintf(entry.text, sizeof entry.text, "%s%c%.*s", s->stamp, s->further ? '+' : ' ',
	    (int)s->n, s->piece);
	s->emit(s->arg, &entry);
	s->further = true;
	s->n = 0;
}

static void
end_line(struct splog *s)
{
	if (s->n)
		emit_piece(s);
	s->further = false;
	s->stamp[0] = '\0';
}

void
splog_feed(struct splog *s, struct span in, void (*now)(char out[SPLOG_STAMP]))
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '\n') {
			end_line(s);
			continue;
		}
		if (s->n == sizeof s->piece)
			emit_piece(s);
		if (!s->stamp[0])
			now(s->stamp);
		s->piece[s->n++] = c >= 32 && c <= 126 ? c : '?';
	}
}

void
splog_end(struct splog *s)
{
	end_line(s);
}
