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
#include "lib/envkeep.h"

/* 1: the environment has changed; 0: there are no such variables; -1: out of memory. */
MUST_CHECK int authset_apply(struct envkeep *k);

#endif
