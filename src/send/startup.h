/* startup - what the queue holds when qmail-send starts.  First everything is listed, by names
 * alone; then new messages may be preprocessed, while those that were listed go on the schedule at
 * the times their channel files carry.  So neither deliveries nor new mail wait long, however many
 * messages do; all is done in slices.
 *
 * A number must not be scheduled on the strength of the list when it belongs to a new message
 * already, whose files may be half written.  It does not: of what is listed
 *
 *	- in info, and then in todo: is preprocessed anew and announced by qmail-todo, not taken
 *	  from the list.  Only a qmail-clean that outlived our predecessor could be just removing
 *	  it from todo; so it is looked at once more later.
 *	- in info, and then not in todo: was deliverable at that moment, which is made durable
 *	  before anything is delivered.  It comes into todo again only as a new message, and its
 *	  number is free for one only when its text is gone; which we alone let go, after it was
 *	  scheduled and delivered.  So qmail-todo never announces what waits here.
 *	- without a text (mess): its number is free.  It is removed before preprocessing starts;
 *	  what is in todo under its number by then will be preprocessed after that.
 *	- in a channel directory or bounce, neither in info nor in todo: as nothing is
 *	  preprocessed yet, neither can come up under us, and it is removed.
 *	- not in info when that was listed, but now: is being made by a qmail-todo that outlived
 *	  our predecessor, from a todo entry which that does not live to have removed.
 *
 * When a directory cannot be read or there is no memory for the list, info is gone through message
 * by message instead, each looked at and scheduled at once; preprocessing starts at the end of all
 * that.  What cannot be read is tried again every STARTUP_TROUBLE_MS. */
#ifndef SEND_STARTUP_H
#define SEND_STARTUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/qlayout.h"
#include "send/snapshot.h"
#include "send/waitset.h"

#define STARTUP_SLICE 1000	/* files of one turn, */
#define STARTUP_SLICE_MS 20	/* or as many as take this long */
#define STARTUP_TROUBLE_MS 10000

struct send;

enum startup_stage { STARTUP_INFO, STARTUP_TODO, STARTUP_MESS, STARTUP_LOCAL, STARTUP_REMOTE,
	STARTUP_BOUNCE, STARTUP_SETTLE, STARTUP_SCHEDULE, STARTUP_OVER };

struct startup {
	enum startup_stage stage;	/* up to _BOUNCE: reading that directory */
	bool one_by_one;		/* without a list */
	struct snapshot list;
	size_t at;			/* the next one of it to be settled or scheduled */
	struct qlayout_scan scan;
	bool scanning;
	int64_t retry_at;	/* monotonic ms, after trouble */
	bool held;		/* held_id could not be scheduled for want of memory */
	uint64_t held_id;
	bool hurried;		/* ALRM came: what is still to be scheduled is due at once */
};

/* May preprocessing start? */
bool startup_listed(const struct send *s);
/* Is everything scheduled? */
bool startup_over(const struct send *s);
void startup_watch(const struct send *s, struct waitset *w);
/* One slice; also those messages that are to be looked at again. */
void startup_step(struct send *s);
void startup_free(struct startup *u);

#endif
