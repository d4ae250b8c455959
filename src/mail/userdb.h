/* userdb - users/assign and users/cdb: which user controls a local address (qmail-users(5)). */
#ifndef MAIL_USERDB_H
#define MAIL_USERDB_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

enum userdb_status { USERDB_ABSENT, USERDB_FOUND, USERDB_FAILED, USERDB_MEMORY };

/* Looks `local` up in the database at path.  USERDB_FOUND: *data becomes user NUL uid NUL gid NUL
 * homedir NUL dash NUL ext NUL, ext in the caller's case; fewer strings if the database was made by
 * something else, so count them.  USERDB_ABSENT: no file or no entry.  USERDB_FAILED: it cannot be
 * read or is no such database. */
MUST_CHECK enum userdb_status userdb_lookup(const char *path, struct span local, struct buf *data);

/* Building: every line of users/assign, then the end.  See users/qmail-newu.c. */
enum userdb_line { USERDB_LINE_OK, USERDB_LINE_END, USERDB_LINE_BAD };
/* Decodes one line (without its LF): key and data as the cdb wants them, replaced.  For a
 * wildcard whose prefix is not empty *wild becomes its last byte folded, else 0.  Lack of memory
 * shows in key and data (buf_ok).
 *	=joe.shmoe:joe:503:78:/home/joe:::	`!joe.shmoe\0`  `joe\0503\078\0/home/joe\0\0`
 *	+Sales-:joe:503:78:/home/joe:-:sales-:	`!sales-`       `joe\0503\078\0/home/joe\0-\0sales-`
 *	.					USERDB_LINE_END */
MUST_CHECK enum userdb_line userdb_parse_line(struct span line, struct buf *key, struct buf *data,
    char *wild);

#endif
