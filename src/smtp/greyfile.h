/* greyfile - the two kinds of file that a day has in a greystore (smtp/greystore.h), by their
 * paths.  None is mapped, and only logs, which are short, are read as a whole. */
#ifndef SMTP_GREYFILE_H
#define SMTP_GREYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "smtp/greystore.h"

#define GREYFILE_LOG_MAX (2 * GREYSTORE_LOG_MAX)	/* of a log that was not merged */

struct greyfile_record {
	unsigned char key[GREYSTORE_KEY];
	int64_t first, passed;
};

/* Numbers as they are in files: 8 bytes, little-endian; what is negative there is 0. */
void greyfile_put_number(unsigned char *p, int64_t value);
int64_t greyfile_get_number(const unsigned char *p);
void greyfile_encode(const struct greyfile_record *r, unsigned char out[GREYSTORE_RECORD]);

/* All whole records of a log; no file: none.  -1: errno, EPROTO for one that is too long. */
MUST_CHECK int greyfile_read_log(const char *path, struct buf *log);
/* The last record of r->key in a log, or its record in a database.  1: *r, 0: none or no file, -1:
 * errno, EPROTO or EIO for damage. */
MUST_CHECK int greyfile_find_in_log(const char *path, struct greyfile_record *r);
MUST_CHECK int greyfile_find_in_map(const char *path, struct greyfile_record *r);
/* Writes a database to fd, an empty file: what is in the log, and what is in the database `old`,
 * which need not be there.  -1: errno; *old_failed: of `old`. */
MUST_CHECK int greyfile_write_map(int fd, const struct buf *log, const char *old,
    bool *old_failed);

#endif
