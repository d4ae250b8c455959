/* fsops - making files and names durable (architecture note "Durability").
 * A failed fsync means the data may be gone although a later one succeeds: never call these twice
 * on the same file after a failure; unlink and rebuild, or fail. */
#ifndef LIB_FSOPS_H
#define LIB_FSOPS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/attr.h"

/* fsync(2).  What cannot be synced at all (a device, FIFO, pipe: EINVAL, ENOTSUP, EROFS on a
 * non-regular file) counts as done.  -1 with errno. */
MUST_CHECK int fsops_sync(int fd);
/* Opens the directory, syncs and closes it: its entries are on disk.  dir relative to cwd. */
MUST_CHECK int fsops_sync_dir(const char *dir);
/* Same for the directory that holds `path`. */
MUST_CHECK int fsops_sync_parent(const char *path);
/* To be called before the directory is synced in which the open file has got a further name, when
 * somebody outside is then told that the name is on disk.  On btrfs, fsync of a directory that
 * another process has just synced may return while that one's sync is still being written (Linux
 * up to 6.18 at least: the first sync after a commit of the file system counts as done from its
 * beginning).  The order on disk is not in danger, only the promise.  A file that nobody else syncs
 * is not affected, and its names are written with it.  On other file systems this does nothing.
 * -1 with errno. */
MUST_CHECK int fsops_sync_names(int file);
/* Directory and names at once, for users' directories: one that we may not read, or whose file
 * system knows no fsync of directories, is reached by syncing all of the file system that holds
 * `path`.  file: open on it, or -1 where fsops_sync_names would do nothing: then it is opened if
 * need be, and closing it ends the fcntl locks that we have on it. */
MUST_CHECK int fsops_sync_entry(const char *path, int file);
/* Makes the finished temporary file fd appear: data sync, close, rename(from, to), sync of the
 * directory of `to`.  On failure unlinks `from` and returns -1 with errno; fd is closed always. */
MUST_CHECK int fsops_publish(int fd, const char *from, const char *to);
/* Open for reading without ever blocking on a FIFO or device (O_NONBLOCK), close-on-exec; the flag
 * is cleared again for what is read later through the same description. */
MUST_CHECK int fsops_open_read(const char *path);
/* The same, for a name in somebody else's directory: only a regular file, and no symbolic link to
 * one, which might lead to what is ours.  EPERM: there is something else. */
MUST_CHECK int fsops_open_regular(const char *path);
/* Is there such a name?  A symbolic link that leads nowhere is one: who made it wants something to
 * be there, and only does not get it now.  true also if nobody can tell.  Keeps errno. */
bool fsops_is_named(const char *path);
/* Does the path lead to the open file, and not to another that took its place or to none? */
bool fsops_leads_to(const char *path, int fd);
/* Creates the file, which must not exist, for writing; close-on-exec. */
MUST_CHECK int fsops_create(const char *path, mode_t mode);

#endif
