/* spare - one descriptor kept for the moment when there is no other: marking a recipient done and
 * writing down a failure must work then, too. */
#ifndef SEND_SPARE_H
#define SEND_SPARE_H

#include <stdbool.h>

struct spare {
	int fd;			/* -1: in use */
};

/* (Re)claims it, if it is not held. */
void spare_claim(struct spare *s);
/* To be called when an open failed: true if errno says that descriptors ran out and the spare one
 * was given up, so the caller tries once more, and claims it again when it has closed its own. */
bool spare_yield(struct spare *s);

#endif
