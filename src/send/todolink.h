/* todolink - qmail-send's side of the conversation with qmail-todo.
 *
 *	to qmail-todo, single bytes:	S start, H controls changed, X stop
 *	from it, records ending in NUL:	D then L, R, B or X, then the id: preprocessed, with local,
 *					remote, both, no recipients; L and text: log it; X: stopped
 *	example				DB457\0 */
#ifndef SEND_TODOLINK_H
#define SEND_TODOLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "send/activity.h"
#include "send/waitset.h"

#define TODOLINK_START 'S'
#define TODOLINK_HUP 'H'
#define TODOLINK_STOP 'X'
#define TODOLINK_DONE 'D'
#define TODOLINK_LOG 'L'
#define TODOLINK_STOPPED 'X'
#define TODOLINK_LOCAL 'L'
#define TODOLINK_REMOTE 'R'
#define TODOLINK_BOTH 'B'
#define TODOLINK_NONE 'X'

#define TODOLINK_RECORD_MAX ((size_t)10000)	/* bytes of a record that are kept */

struct todolink {
	int to, from;		/* pipes; -1: there is no qmail-todo, or it is lost */
	struct activity *log;
	/* As in struct todo. */
	bool (*preprocessed)(void *arg, uint64_t id, unsigned channels);
	void *arg;
	char orders[16];	/* not yet written */
	size_t orders_n;
	struct buf record;
	bool held;		/* a complete record waits for memory */
	char in[4096];
	size_t in_n, in_at;
	bool stopped;		/* it said so */
	bool stop_sent;
};

/* Makes both descriptors non-blocking.  -1 with errno. */
MUST_CHECK int todolink_init(struct todolink *l, int to, int from, struct activity *log);
bool todolink_used(const struct todolink *l);
/* Sends TODOLINK_START, _HUP or _STOP. */
void todolink_order(struct todolink *l, char order);
void todolink_watch(const struct todolink *l, struct waitset *w);
/* false: qmail-todo is gone (told once). */
bool todolink_step(struct todolink *l, const struct waitset *w);
/* Is there nothing more to wait for? */
bool todolink_may_exit(const struct todolink *l);

#endif
