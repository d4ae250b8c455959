/* disk - is the file system of the queue there, and can new mail be written to it?  Whoever
 * preprocesses would not notice by himself: what he holds open stays in reach, and where
 * qmail-queue cannot make a file, there is nothing to preprocess.
 *
 * Nothing is looked at unless something happens: a mount or umount of this host, of which the
 * kernel tells (proc(5), /proc/PID/mounts), or a pull of the trigger without a message, which
 * qmail-queue does when it has failed.  Each trouble is told at most once per ACTIVITY_QUIET_MS. */
#ifndef SEND_DISK_H
#define SEND_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/qlayout.h"
#include "send/activity.h"
#include "send/waitset.h"

struct disk {
	int mounts_fd;		/* -1: not told of mounts */
	bool wanted;		/* to be tried, not before */
	int64_t next_try;	/* monotonic ms */
};

#define DISK_CLOSED { .mounts_fd = -1 }

void disk_open(struct disk *d);
void disk_close(struct disk *d);
/* Somebody may have failed to queue a message. */
void disk_want(struct disk *d);
void disk_watch(const struct disk *d, struct waitset *w);
/* cwd = the queue directory. */
void disk_step(struct disk *d, const struct waitset *w, const struct qlayout *q,
    struct activity *log);

#endif
