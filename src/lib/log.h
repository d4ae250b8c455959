/* log - text from strangers made fit for one log line. */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/buf.h"
#include "lib/span.h"

/* The rule of the activity log (qmail-log(5)): LF becomes `/`; bytes below 33, above 126 and `%`
 * become `_`. */
void log_add_safe(struct buf *line, struct span text);
/* Bytes outside 33..126 (outside 32..126 if keep_space) become `instead`. */
void log_add_visible(struct buf *line, struct span text, bool keep_space, char instead);

#endif
