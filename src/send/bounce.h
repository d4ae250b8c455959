/* bounce - the files bounce/N: a paragraph for each recipient that failed for good, in order.
 *
 *	<bad@far.example>:\n
 *	1.2.3.4 does not like recipient.\n
 *	\n
 *
 * A paragraph is on disk before its recipient is marked done, else a power cut could hide a failure
 * for ever.  Those of one turn of the loop are appended first and then synced together. */
#ifndef SEND_BOUNCE_H
#define SEND_BOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "queue/qlayout.h"
#include "send/activity.h"
#include "send/spare.h"

#define BOUNCE_FILES 64		/* files of one turn */
#define BOUNCE_NONE SIZE_MAX

struct bounces {
	const struct qlayout *q;
	struct activity *log;
	struct spare *spare;
	struct bounce_file {
		uint64_t id;
		int fd;			/* -1: failed, rolled back */
		off_t before, size;	/* before this turn, now */
		bool created;
	} files[BOUNCE_FILES];
	size_t n;
	struct buf paragraph;
};

/* Appends the paragraph to `to`: recipient as people know it, text of the report (may be empty). */
void bounce_add_paragraph(struct buf *to, struct span recipient, struct span text);

/* Appends it to bounce/N.  Returns the number of the file in this turn, or BOUNCE_NONE: nothing was
 * changed, and the alert was given.  At most BOUNCE_FILES calls before a commit. */
size_t bounce_append(struct bounces *b, uint64_t id, struct span recipient, struct span text);
/* Makes all of this turn durable. */
void bounce_commit(struct bounces *b);
/* After the commit: did this file make it?  If not, it is as before this turn. */
bool bounce_kept(const struct bounces *b, size_t file);
/* Ready for the next turn. */
void bounce_next(struct bounces *b);

#endif
