/* task - one delivery as it has been ordered, for one recipient or several, and its beginning. */
#ifndef SPAWN_TASK_H
#define SPAWN_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "spawn/batch.h"
#include "spawn/spawnd.h"
#include "spawn/workers.h"

/* {0} is empty. */
struct task {
	struct buf text;	/* message, sender, recipients, each followed by NUL */
	size_t at;		/* in the first recipient: its last @ */
	size_t n;		/* recipients */
};

struct task_run {
	pid_t pid;		/* 0: over already */
	int code;		/* then: its exit code */
	int fd;			/* its output, close-on-exec */
	bool handed;		/* to this worker, whose output it is */
	struct worker worker;
};

/* NULL, or the report about a name that is no message's. */
const char *task_check_id(struct span id);
/* false: no memory. */
MUST_CHECK bool task_set(struct task *t, const struct batch *b);
void task_free(struct task *t);
/* Has it done by a worker, unless `alone`, or by a process of its own.  owner: of message files;
 * cwd is queue/mess.  NULL, or the report: then there is no process in *run, and fd is -1. */
MUST_CHECK const char *task_begin(const struct task *t, const struct spawnd_ops *ops, uid_t owner,
    bool alone, struct task_run *run);

#endif
