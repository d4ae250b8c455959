/* assign - users/assign becomes users/cdb (qmail-users(5)). */
#ifndef USERS_ASSIGN_H
#define USERS_ASSIGN_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"

#define ASSIGN_LINE_MAX ((size_t)64 << 10)	/* bytes of one line */

enum assign_status {
	ASSIGN_OK,
	ASSIGN_MEMORY,
	ASSIGN_READ,		/* errno */
	ASSIGN_FORMAT,		/* place: the line that is bad, and why; the end is a line, too */
	ASSIGN_WRITE		/* errno */
};

struct assign_place {
	uint64_t line;		/* number of the line it stopped at */
	const char *why;	/* for ASSIGN_FORMAT: words */
};

/* Reads text from descriptor `from` and writes the database to `to`, an empty file open for reading
 * and writing; the caller syncs and renames it.  Lines that look like mistakes add text
 * lines to *warnings. */
MUST_CHECK enum assign_status assign_build(int from, int to, struct assign_place *place,
    struct buf *warnings);

#endif
