/* mboxfmt - mailboxes of one file for all messages (mbox(5), the mboxrd kind): writing and locking.
 *
 *	From s@x.example Thu Nov 20 21:36:00 2025
 *	Return-Path: <s@x.example>
 *	Subject: two messages
 *
 *	>From here on, and >>From there: one > more than in the message
 *	<empty line, then the next From_ line or the end> */
#ifndef MAIL_MBOXFMT_H
#define MAIL_MBOXFMT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/span.h"

#define MBOX_LOCK_WAIT_MS ((int64_t)30 * 1000)
#define MBOX_DOTLOCK_STALE_S 300	/* a dot-lock of that age belongs to nobody */

/* ---- the format ---- */

/* Writes a message passing by in pieces of any size.  {0} to start. */
struct mboxfmt {
	size_t matched;		/* bytes of `From ` seen after any >; held back */
	bool inside;		/* of a line, where nothing needs a > */
	bool open;		/* the line has bytes and no LF yet */
};
void mboxfmt_put(struct mboxfmt *m, struct io_out *out, struct span piece);
/* The end of the message: the LF its last line may lack, and the empty line. */
void mboxfmt_end(struct mboxfmt *m, struct io_out *out);

/* ---- locks ---- */

/* What protects an open mbox from other writers: flock(2) and an fcntl(2) lock of the whole file
 * (on NFS the latter alone: there both are the same lock), and for files directly in /var/mail
 * FILE.lock where the directory lets us create it. */
struct mboxlock {
	char *dotlock;		/* its path, malloc'd, while we hold it */
	bool held;		/* flock or fcntl is */
};

enum mboxlock_status { MBOXLOCK_OK, MBOXLOCK_TIMEOUT, MBOXLOCK_FAILED };

/* Waits until the deadline.  MBOXLOCK_FAILED: locking does not work there (errno); the caller may
 * go on without. */
MUST_CHECK enum mboxlock_status mboxlock_take(struct mboxlock *l, int fd, const char *path,
    int64_t deadline);
/* Removes the dot-lock; closing the file ends the other locks. */
void mboxlock_drop(struct mboxlock *l);

/* ---- opening ---- */

enum mbox_status {
	MBOX_OK,
	MBOX_OPEN,		/* the file cannot be opened or created; errno */
	MBOX_LOCKED,		/* somebody held a lock for MBOX_LOCK_WAIT_MS */
	MBOX_READ,		/* the message could not be read; errno */
	MBOX_WRITE		/* the file could not be written or synced; errno */
};

struct mbox {
	const char *path;	/* borrowed */
	int fd;
	bool regular;
	bool fresh;		/* we created it: its name may not be on disk yet */
	struct mboxlock lock;
};

/* Opens for appending, creates if it is not there (0600 less the umask), locks, and makes sure that
 * the path leads to the file that is locked.  access: O_WRONLY or O_RDWR.  MBOX_OK, MBOX_OPEN,
 * MBOX_LOCKED; mbox_close it in any case.  *unlocked: errno of why locking does not work there, or
 * 0.  What is no regular file is not locked.  Open the file a second time and the fcntl lock is
 * lost when that descriptor is closed. */
MUST_CHECK enum mbox_status mbox_open(struct mbox *b, const char *path, int access,
    int64_t lock_deadline, int *unlocked);
/* Gives the locks back.  -1 with errno from close(2); else errno is as before. */
int mbox_close(struct mbox *b);

/* ---- delivering ---- */

/* Appends head (From_ line and trace fields) and the rest of descriptor fd to the mbox at path,
 * which is created (0600 less the umask) if it is not there; symbolic links are followed, and
 * devices are fine.  A file that ends inside a line gets a newline first.  MBOX_OK: it is on disk.
 * Else a regular file that we could lock is as before.
 * *unlocked: locking did not work (errno in it), so the message was written without; else 0. */
MUST_CHECK enum mbox_status mboxfmt_deliver(const char *path, int fd, struct span head,
    int *unlocked);
/* The same with another patience. */
MUST_CHECK enum mbox_status mboxfmt_deliver_by(const char *path, int fd, struct span head,
    int *unlocked, int64_t lock_deadline);

#endif
