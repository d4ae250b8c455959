/* takeover - may this build be installed over the queue that is there?  A queue whose split, layout
 * or owners are others than the build's would have its mail hidden, or taken from programs that can
 * read it. */
#ifndef INSTALL_TAKEOVER_H
#define INSTALL_TAKEOVER_H

#include "install/hier.h"
#include "lib/attr.h"
#include "lib/buf.h"

/* destdir: put before the home directory.  ids: NULL = owners are no matter.  0: yes, also if there
 * is no queue; -1: no, *why says in one line what differs and which conf-* file to set. */
MUST_CHECK int takeover_check(const char *destdir, const struct hier_ids *ids, struct buf *why);

#endif
