/* body - copying a message's body in pieces of any size.  Bytes go out as they came; LF is added
 * if the last line lacks it; and if the message has CRLF line ends (its first line had one), runs
 * of CR before LF go. */
#ifndef INJECT_BODY_H
#define INJECT_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/span.h"

/* Where the message goes. */
typedef void body_put(void *arg, const char *p, size_t n);

/* { .strip_cr, .put, .arg } to start. */
struct body {
	bool strip_cr;
	body_put *put;
	void *arg;
	size_t held;		/* CRs read, not yet put */
	bool open_line;		/* something was read after the last LF */
};

void body_add(struct body *b, struct span piece);
void body_end(struct body *b);

#endif
