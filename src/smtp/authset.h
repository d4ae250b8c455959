/* authset - variables for those who have authenticated.
 *
 *	AUTH_SET_DATABYTES=50000000	DATABYTES=50000000 from then on
 *	AUTH_UNSET_RCPTCHECK=		no RCPTCHECK from then on; the value does not matter
 *
 * First all that are set, then all that are unset.  Rules of tcpserver give them, so they may name
 * any variable; a plug-in that root does not own may not set them (smtp/plugins.c). */
#ifndef SMTP_AUTHSET_H
#define SMTP_AUTHSET_H

#include "lib/attr.h"
#include "lib/buf.h"

/* {0}: nothing has been changed. */
struct authset {
	struct buf before;	/* `NAME=value` or `NAME` of each that was, each followed by NUL */
};

/* The variable will be changed, but not by this: authset_undo brings it back.  -1: no memory. */
MUST_CHECK int authset_keep(struct authset *a, const char *name);
/* 1: the environment has changed; 0: there are no such variables; -1: out of memory. */
MUST_CHECK int authset_apply(struct authset *a);
/* Back to what it was before.  The same values; 0 if nothing was changed. */
MUST_CHECK int authset_undo(struct authset *a);
void authset_free(struct authset *a);

#endif
