/* cleanup - carries out the requests of qmail-clean, a batch at a time.
 * cwd = the queue directory.
 *
 *	foop/457	remove intd/457, then mess/20/457; not if todo/457 is there
 *	todo/457	remove intd/457, then todo/457	(todo/20/457 in a big-todo queue)
 *
 * Answers, one byte each in the order of the requests: `+` gone for good, a file that was not
 * there included; `!` something could not be removed or synced; `x` not a request.
 *
 * Whoever asked may be killed while we wait for the disk.  Its successor finds the same files and
 * decides anew what becomes of them, so from then on nothing is removed any more.  Looking whether
 * it lives, and removing, are two steps, so a batch holds a shared lock on mess/, and the successor
 * waits for it (cleanup_await) before it touches anything. */
#ifndef QUEUE_CLEANUP_H
#define QUEUE_CLEANUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/span.h"
#include "queue/qlayout.h"

#define CLEANUP_REQUEST_MIN 7	/* bytes of a request with its NUL */
#define CLEANUP_REQUEST_MAX 100
#define CLEANUP_BATCH 1024
/* Waits for the lock on mess/, which others than us may take (a backup, or whoever is in the group
 * of the queue).  Of a qmail-clean: what it should remove is refused then, and asked for again. */
#define CLEANUP_LOCK_MS 5000
#define CLEANUP_AWAIT_MS 30000		/* of who starts: then it says that it cannot */

enum cleanup_kind { CLEANUP_BAD, CLEANUP_FOOP, CLEANUP_TODO };

struct cleanup_item {
	enum cleanup_kind kind;
	uint64_t id;
	char answer;
};

struct cleanup {
	struct qlayout layout;
	int answers_fd;		/* nobody reads there: the requests are void.  -1: always valid */
	size_t n;
	struct cleanup_item items[CLEANUP_BATCH];
	/* Directories changed by the batch, and those that could not be synced. */
	bool intd_touched[QUEUE_SPLIT], todo_touched[QUEUE_SPLIT];
	bool intd_failed[QUEUE_SPLIT], todo_failed[QUEUE_SPLIT];
};

/* Takes a request apart (without its NUL); *id is set unless CLEANUP_BAD. */
enum cleanup_kind cleanup_parse(const struct qlayout *q, struct span request, uint64_t *id);
/* Adds it to the batch, which must have room. */
void cleanup_add(struct cleanup *c, struct span request);
/* Does the work and fills in the answers.  The caller then empties the batch (n = 0). */
void cleanup_run(struct cleanup *c);
/* Waits for what a qmail-clean of our predecessor, which must be dead, has begun; it begins nothing
 * more.  cwd = the queue directory.  -1 with errno. */
MUST_CHECK int cleanup_await(void);

#endif
