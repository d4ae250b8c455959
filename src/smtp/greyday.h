/* greyday - the files of one day in a greystore (smtp/greystore.h).  Whoever calls holds its
 * lock. */
#ifndef SMTP_GREYDAY_H
#define SMTP_GREYDAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "smtp/greyfile.h"

#define GREYDAY_PATH 4096	/* bytes of any path */

struct greyday_dir {
	const char *path;
	struct greystore_trouble *trouble;	/* the first is kept */
};

/* Notes errno as the trouble with this file, unless there was one before. */
void greyday_note(const struct greyday_dir *d, const char *name);

/* DIRECTORY/NAME; -1: ENAMETOOLONG. */
MUST_CHECK int greyday_path(const struct greyday_dir *d, char path[GREYDAY_PATH],
    const char *name);
/* The latest record of r->key on that day: *r.  A file that cannot be read is noted, and nothing
 * is found in it. */
MUST_CHECK bool greyday_find(const struct greyday_dir *d, int64_t day, struct greyfile_record *r);
/* Adds to the log of the day; a full log becomes part of the database, or stays when that fails,
 * which is noted.  *is_new: the day had nothing.  -1 and noted: not added; EFBIG if the day has
 * GREYSTORE_DAY_MAX bytes already. */
MUST_CHECK int greyday_append(const struct greyday_dir *d, int64_t day,
    const struct greyfile_record *r, bool *is_new);
/* Logs of days before today become databases.  Days before `oldest`, and those that are yet to
 * come, are removed, but the youngest `keep` up to today stay, and days to come as long as there
 * are fewer. */
void greyday_tidy(const struct greyday_dir *d, int64_t today, int64_t oldest, size_t keep);

#endif
