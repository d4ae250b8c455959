/* enqueue - takes one message from S1 to S4, the work of qmail-queue (states: queue/qlayout.h).
 * cwd = the queue directory.
 *
 *	enqueue_reserve	 pid/x, linked to mess/S/N			S1 -> S2
 *	enqueue_message	 Received line, body				S2
 *	enqueue_envelope intd/N, its records				S2 -> S3
 *	enqueue_publish	 everything on disk, link to todo/N, on disk	S3 -> S4
 *
 * Each returns QQ_OK or the exit code of its failure; then enqueue_abandon removes what was made,
 * except where that could harm: after QQ_TIMEOUT the 36 h sweep owns the files, and after a link
 * that may have been made the message may already be under way. */
#ifndef QUEUE_ENQUEUE_H
#define QUEUE_ENQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "queue/qlayout.h"
#include "queue/qqcode.h"
#include "queue/taps.h"

#define ENQUEUE_NUMBERS 3		/* inode numbers refused before giving up */

struct enqueue {
	struct qlayout layout;
	uid_t uid;			/* of the caller: record u */
	pid_t pid;			/* record p */
	int64_t start;			/* wall clock when we began */
	uint64_t id;			/* N, once reserved */
	int mess_fd, intd_fd;
	int refused[ENQUEUE_NUMBERS];	/* keep numbers we cannot use from coming again */
	unsigned refusals;
	bool has_mess, has_intd;	/* names to remove */
	bool ordered;			/* one journal has both files, see lib/journal.h */
	bool keep;			/* leave all files where they are */
	char pid_path[QLAYOUT_PATH_SIZE];	/* empty: no such name */
	struct taps taps;
	struct span results;		/* a field behind Received; empty: none */
};

#define ENQUEUE_EMPTY { .mess_fd = -1, .intd_fd = -1 }

/* Fill in layout, uid, pid and start first; taps and results, if there are any. */
MUST_CHECK enum qqcode enqueue_reserve(struct enqueue *e);
/* Writes `received`, results, then everything from fd. */
MUST_CHECK enum qqcode enqueue_message(struct enqueue *e, struct span received, int fd);
/* Reads `F` sender NUL, any number of `T` recipient NUL, NUL; what follows is not looked at.  A tap
 * comes behind the recipients. */
MUST_CHECK enum qqcode enqueue_envelope(struct enqueue *e, int fd);
MUST_CHECK enum qqcode enqueue_publish(struct enqueue *e);
/* Ends the work; returns code.  Also to be called after success. */
enum qqcode enqueue_abandon(struct enqueue *e, enum qqcode code);

#endif
