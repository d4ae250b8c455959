/* greyfile - the two kinds of file that a day has in a greystore (smtp/greystore.h), by their
 * paths.  None is mapped or read as a whole. */
#ifndef SMTP_GREYFILE_H
#define SMTP_GREYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
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

/* The last record of r->key in a log, or its record in a database.  1: *r, 0: none or no file, -1:
 * errno, EPROTO or EIO for damage; a log of more than GREYFILE_LOG_MAX is damaged. */
MUST_CHECK int greyfile_find_in_log(const char *path, struct greyfile_record *r);
MUST_CHECK int greyfile_find_in_map(const char *path, struct greyfile_record *r);
enum greyfile_part { GREYFILE_NEW, GREYFILE_LOG, GREYFILE_OLD };
/* Writes a database to fd, an empty file: what is in the log, and what is in the database `old`;
 * neither has to be there.  Takes 8 bytes of memory for each record.  -1: errno; *failed: of what,
 * GREYFILE_NEW being fd or the lack of memory. */
MUST_CHECK int greyfile_write_map(int fd, const char *log, const char *old,
    enum greyfile_part *failed);

#endif
