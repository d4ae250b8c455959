/* stay - the program's side of stayproto.h: a qmail-local or qmail-remote that does one delivery
 * after the other. */
#ifndef QUEUE_STAY_H
#define QUEUE_STAY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/span.h"
#include "queue/stayproto.h"

struct stay {
	const char *idle_name;		/* shown by ps between deliveries, at most 15 bytes, */
	const char *name;		/* and while there is one */
	char *own;			/* as which it was run */
	char *line;			/* what ps shows, all of it writable */
	size_t line_size;
	size_t length;			/* of request */
	const char *number;		/* in request */
	char *strings[STAYPROTO_STRINGS];	/* in request; n of them */
	size_t n;
	bool broken;			/* the end of one could not be told */
	char request[STAYPROTO_REQUEST_MAX];
};

/* Were we started so? */
bool stay_wanted(int argc, char *const *argv);
/* Descriptors 1 and 2 become the socket, so that what is written there is output as long as it does
 * not begin with NUL; greets.  NULL: not to be had, with what began in vain taken back. */
MUST_CHECK struct stay *stay_begin(char **argv, const char *greeting, const char *name,
    const char *idle_name);
/* Waits for a delivery: its strings, its message on descriptor 0.  false: no more. */
MUST_CHECK bool stay_next(struct stay *s);
/* Output of any length that does not begin with NUL. */
void stay_output(struct span text);
/* The delivery is over, its message closed.  last: and nothing comes after it. */
void stay_done(struct stay *s, int code, bool last);
/* It has not begun. */
void stay_decline(struct stay *s, bool last);
void stay_end(struct stay *s);

#endif
