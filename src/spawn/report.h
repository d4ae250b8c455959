/* report - from how a delivery ended to what qmail-send is told.  Pure. */
#ifndef SPAWN_REPORT_H
#define SPAWN_REPORT_H

#include "lib/buf.h"
#include "lib/span.h"

#define REPORT_LOCAL_MAX ((size_t)3000)		/* bytes of output of a local delivery */
#define REPORT_REMOTE_MAX ((size_t)16384)	/* the same, remote; the rest is dropped */

/* Cuts output that grew over the limit. */
void report_limit_local(struct buf *output);
void report_limit_remote(struct buf *output);
/* Appends class letter and text.  code: exit code, SPAWND_CRASHED if killed.  which: not used. */
void report_local(int code, struct span output, size_t which, struct buf *text);
/* output of qmail-remote: recipient records `r` `h` `s`, one message record `K` `Z` `D`, each with
 * its text and a NUL: `r\0K1.2.3.4 accepted message.\n\0` -> `K1.2.3.4 accepted message.\n`
 * which: 0 if there was one recipient, else which of them, from 1. */
void report_remote(int code, struct span output, size_t which, struct buf *text);

#endif
