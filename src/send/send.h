/* send - the state of qmail-send, all of it.  The modules jobs, deliver, done, startup and
 * leftovers work on it; the others know only their own part. */
#ifndef SEND_SEND_H
#define SEND_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/qlayout.h"
#include "send/activity.h"
#include "send/bounce.h"
#include "send/cleaner.h"
#include "send/controls.h"
#include "send/deliver.h"
#include "send/done.h"
#include "send/hosts.h"
#include "send/jobs.h"
#include "send/leftovers.h"
#include "send/notice.h"
#include "send/sched.h"
#include "send/spare.h"
#include "send/startup.h"
#include "send/todo.h"
#include "send/todolink.h"
#include "send/waitset.h"

struct send {
	struct qlayout q;
	int log_fd, queue_fd, mutex_fd, signal_fd;
	struct controls controls;
	struct activity log;
	struct buf lines;	/* of the log, not written yet */
	struct waitset wait;
	struct cleaner clean;
	struct sched sched;
	struct spawn spawn[CHANNELS];
	struct jobs jobs;
	struct hosts hosts;	/* of the remote channel */
	struct bounces bounces;
	struct spare spare;
	struct notices notices;
	struct done done;
	struct startup startup;
	struct leftovers leftovers;
	struct todolink link;	/* to qmail-todo; without it */
	struct todo todo;	/* we preprocess ourselves */
	bool todo_started;
	bool stopping;		/* exit as soon as possible */
	bool finishing;		/* and no delivery is under way any more */
	uint64_t deliveries;	/* numbered from 1 in every run */
};

/* qmail-send.c: writes what of the log has come together; before anything that may take long. */
void send_flush_log(struct send *s);
/* loop.c: everything after the start.  Returns when qmail-send may exit. */
void loop_run(struct send *s);

#endif
