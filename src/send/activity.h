/* activity - the activity log (qmail-log(5)): every line in one write, and none so often that it
 * drowns the others. */
#ifndef SEND_ACTIVITY_H
#define SEND_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

/* Troubles that may come back many times a second; each is told at most once per
 * ACTIVITY_QUIET_MS. */
enum activity_cause {
	CAUSE_MEMORY,
	CAUSE_OPENDIR,
	CAUSE_BOUNCE,
	CAUSE_POLL,
	CAUSE_TRIGGER,
	CAUSE_DISK,
	CAUSE_QUEUE,
	CAUSE_MOUNT,
	ACTIVITY_CAUSES
};
#define ACTIVITY_QUIET_MS 10000

struct activity {
	void (*emit)(void *arg, struct span line);	/* a whole line with its LF */
	void *arg;
	const char *tag;	/* after `warning: ` and `alert: `: "" or "qmail-todo: " */
	struct buf line;
	int64_t quiet_until[ACTIVITY_CAUSES];
};

/* A line put together by hand: begin, add to the buffer that is returned, end. */
struct buf *activity_begin(struct activity *a);
void activity_end(struct activity *a);
void activity_say(struct activity *a, const char *line);	/* without LF */

/* `warning: ` tag before file after; `alert: ` tag text.  file and after may be NULL. */
void activity_warn(struct activity *a, const char *before, const char *file, const char *after);
void activity_alert(struct activity *a, const char *text);
/* `warning: ` text file, without the tag. */
void activity_warn_plain(struct activity *a, const char *text, const char *file);
/* May this cause be told now?  If so it is quiet for a while afterwards. */
bool activity_may(struct activity *a, enum activity_cause cause);
/* `alert: out of memory, sleeping...` and `alert: unable to opendir <dir>, sleeping...`, no more
 * often than they may be told. */
void activity_memory(struct activity *a);
void activity_opendir(struct activity *a, const char *dir);
/* `alert: unable to use queue file system: <error>, sleeping...`, likewise. */
#define ACTIVITY_QUEUE "alert: unable to use queue file system: "
void activity_queue(struct activity *a, int error);

#endif
