/* journal - file systems whose one journal keeps the order of all that is done to them.
 *
 * POSIX promises nothing about what a power cut leaves of things not yet synced.  ext4 and XFS do:
 * every change of a directory or of a file's size goes through one journal, in the order in which
 * the calls returned, and before a part of it counts, all data handed to the disk earlier has been
 * flushed.  So if the data of a file was written out (sys_finish_writeback) before its name was
 * made, a power cut leaves both, or no name; and one sync of the last directory that was changed
 * makes everything before it durable as well.  Where that holds, one commit does the work of many.
 *
 * It does not hold, and every step must be synced by itself, on all other file systems, without a
 * journal, and when journal and data live on different devices, as each has its own cache. */
#ifndef LIB_JOURNAL_H
#define LIB_JOURNAL_H

#include <stdbool.h>

#include "lib/attr.h"

/* Does it hold for the file system of the open file or directory fd?  Two open files of it have the
 * same st_dev.  In doubt, or if /proc or /sys cannot be looked at: false.  Keeps errno. */
bool journal_keeps_order(int fd);
/* What the data of the open file needs before a name is made for it: to be written out, if the
 * journal keeps order, else to be synced.  -1 with errno: do not trust the file, see fsops.h. */
MUST_CHECK int journal_settle(int fd, bool keeps_order);

#endif
