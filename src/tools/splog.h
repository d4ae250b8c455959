/* splog - cuts a stream into the entries that splogger hands to syslog.
 * Stream `warning: x` LF at 1157520813.485077 is one entry of level SPLOG_WARNING with the text
 * `1157520813.485077 warning: x`. */
#ifndef TOOLS_SPLOG_H
#define TOOLS_SPLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/span.h"

#define SPLOG_PIECE ((size_t)799)	/* bytes of a line in one entry */
#define SPLOG_STAMP 40			/* room for seconds, dot, six digits, separator, NUL */

enum splog_level { SPLOG_INFO, SPLOG_WARNING, SPLOG_ALERT };

struct splog_entry {
	enum splog_level level;		/* of the line, decided by its first piece */
	char text[SPLOG_STAMP + SPLOG_PIECE + 1];	/* a C string */
};

struct splog {
	void (*emit)(void *arg, const struct splog_entry *entry);
	void *arg;
	char stamp[SPLOG_STAMP];	/* of the line; "" between lines */
	bool further;			/* pieces of this line have been emitted */
	enum splog_level level;
	size_t n;
	char piece[SPLOG_PIECE];
};

/* now: writes seconds and microseconds, `1157520813.485077`.  Asked once for each line. */
void splog_feed(struct splog *s, struct span in, void (*now)(char out[SPLOG_STAMP]));
/* The end of the stream: a last line without LF is emitted. */
void splog_end(struct splog *s);

#endif
