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
	struct greystore_trouble *trouble;	/* the first of the worst is kept */
};

/* Notes errno as the trouble with this file, unless there was one as bad before. */
void greyday_note(const struct greyday_dir *d, const char *name, enum greystore_effect effect);

/* DIRECTORY/NAME; -1: ENAMETOOLONG. */
MUST_CHECK int greyday_path(const struct greyday_dir *d, char path[GREYDAY_PATH],
    const char *name);
/* The latest record of r->key on that day.  1: *r.  0: none; a file that cannot be read is noted,
 * and nothing is found in it.  -1: is_today, and that file is the log, and it is still there. */
MUST_CHECK int greyday_find(const struct greyday_dir *d, int64_t day, bool is_today,
    struct greyfile_record *r);
/* Adds to the log of the day; a full log becomes part of the database; when that fails, which is
 * noted, it stays until it has grown by GREYSTORE_AGAIN.  *is_new: the day had nothing.  -1 and
 * noted: not added; EFBIG if the day has GREYSTORE_DAY_MAX bytes already. */
MUST_CHECK int greyday_append(const struct greyday_dir *d, int64_t day,
    const struct greyfile_record *r, bool *is_new);
/* Logs of days before today become databases.  Days before `oldest`, and those that are yet to
 * come, are removed, but the youngest `keep` up to today stay, and days to come as long as there
 * are fewer. */
void greyday_tidy(const struct greyday_dir *d, int64_t today, int64_t oldest, size_t keep);

#endif
