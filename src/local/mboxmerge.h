/* mboxmerge - moves the messages of a Maildir into an mbox, which is replaced by a file made anew:
 *
 *	mboxmerge_write		the old mbox and the messages, to the temporary file; that on disk,
 *				renamed to the mbox, its new name on disk
 *	(caller)		unlinks the messages
 *	mboxmerge_close		gives the lock back
 *
 * So a message is in the mbox and on disk before it leaves the Maildir; interrupted anywhere, it is
 * in one of them or in both.  Whoever else wants the mbox, another of us, too, waits for the
 * end. */
#ifndef LOCAL_MBOXMERGE_H
#define LOCAL_MBOXMERGE_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "mail/maildir.h"
#include "mail/mboxfmt.h"

enum mboxmerge_status {
	MBOXMERGE_OK,
	MBOXMERGE_LOCK,		/* the mbox cannot be opened or locked; errno, ETIMEDOUT too */
	MBOXMERGE_TYPE,		/* it is no regular file */
	MBOXMERGE_SAME,		/* the temporary file is the mbox */
	MBOXMERGE_CREATE,	/* no temporary file; errno; EBUSY: another of us uses it */
	MBOXMERGE_OWNER,	/* the new file could not be given to the mbox's owner; errno */
	MBOXMERGE_READ,		/* errno; *at */
	MBOXMERGE_WRITE,	/* the temporary file; errno */
	MBOXMERGE_MOVE		/* renaming it, or syncing the name; errno */
};

struct mboxmerge {
	const char *path, *tmp;	/* of the mbox and the temporary file; borrowed */
	int64_t lock_wait_ms;
	const char *at;		/* what could not be read; borrowed from path or the list */
	struct mbox box;
	char *real;		/* path without symbolic links */
	int to;			/* the new file, locked as the old one */
};

#define MBOXMERGE(mbox, temporary) { .path = (mbox), .tmp = (temporary), \
	.lock_wait_ms = MBOX_LOCK_WAIT_MS, .box = { .fd = -1 }, .to = -1 }

/* cwd: the Maildir.  Messages that are gone meanwhile are taken off the list.  On any failure but
 * MBOXMERGE_MOVE the mbox is as it was; the temporary file is removed. */
MUST_CHECK enum mboxmerge_status mboxmerge_write(struct mboxmerge *m, struct maildir_list *list);
/* In any case. */
void mboxmerge_close(struct mboxmerge *m);

/* The envelope sender by a message's first line: `Return-Path: <joe@x>` gives joe@x, <> the empty
 * string, anything else XXX. */
struct span mboxmerge_sender(struct span line);

#endif
