/* syncset - fsync of several open files at once.
 * A journalling file system makes one commit for all of them.  One after the other they would cost
 * a flush of the disk each, even those that the first one's commit has already made durable. */
#ifndef LIB_SYNCSET_H
#define LIB_SYNCSET_H

#include <stddef.h>

struct syncset_item {
	int fd;
	int error;		/* result: 0, or errno of fsops_sync */
};

/* Syncs each, in threads that have ended when it returns (in fewer or none where the system refuses
 * threads); the files stay open.
 * Returns how many failed.  A file that failed may have lost its data, see fsops.h. */
size_t syncset_run(struct syncset_item *items, size_t n);

#endif
