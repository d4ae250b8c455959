/* greyday - the files of one day in a greystore (smtp/greystore.h).  Whoever calls holds its
 * lock. */
#ifndef SMTP_GREYDAY_H
#define SMTP_GREYDAY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "smtp/greystore.h"

#define GREYDAY_PATH 4096	/* bytes of any path */

struct greyday_dir {
	const char *path;
};

struct greyday_record {
	unsigned char key[GREYSTORE_KEY];
	int64_t first, passed;
};

/* DIRECTORY/NAME; -1: ENAMETOOLONG. */
MUST_CHECK int greyday_path(const struct greyday_dir *d, char path[GREYDAY_PATH],
    const char *name);
/* The latest record of r->key on that day.  1: *r, 0: there is none, -1: errno. */
MUST_CHECK int greyday_find(const struct greyday_dir *d, int64_t day, struct greyday_record *r);
/* Adds to the log of the day; a full log becomes part of the database.  *is_new: the day had no
 * log.  -1: errno, EFBIG if the day has GREYSTORE_DAY_MAX bytes already. */
MUST_CHECK int greyday_append(const struct greyday_dir *d, int64_t day,
    const struct greyday_record *r, bool *is_new);
/* Logs of days before today become databases; days before `oldest`, and those that are yet to come,
 * are removed. */
MUST_CHECK int greyday_tidy(const struct greyday_dir *d, int64_t today, int64_t oldest);

#endif
