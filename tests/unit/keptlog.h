/* keptlog - what a module says to an activity log, all of it. */
#ifndef KEPTLOG_H
#define KEPTLOG_H

#include "lib/buf.h"
#include "send/activity.h"

/* struct activity's emit; arg: struct buf. */
static inline void
keptlog_add(void *arg, struct span line)
{
	buf_addspan(arg, line);
}

#endif
