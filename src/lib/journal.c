/* journal - see journal.h. */
#include "lib/journal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fsops.h"
#include "lib/sys.h"

#define NAME_SIZE 256		/* a block device's name */

/* jbd2 has an entry `DEVICE-8` for an ext4 journal that is inode 8 of DEVICE itself; one on another
 * device has that one's name alone. */
static bool
ext4_has_own_journal(int fd)
{
	char device[NAME_SIZE], path[NAME_SIZE + sizeof "/proc/fs/jbd2/-8"];
	struct stat st;

	if (fstat(fd, &st) == -1 || sys_block_device(st.st_dev, device, sizeof device) == -1)
		return false;
	(void)snprintf(path, sizeof path, "/proc/fs/jbd2/%s-8", device);
	return access(path, F_OK) == 0;
}

bool
journal_keeps_order(int fd)
{
	int error = errno;
	bool r = false;

	switch (sys_fs(fd)) {
	case SYS_FS_EXT4:
		r = ext4_has_own_journal(fd);
		break;
	case SYS_FS_XFS:
		r = sys_xfs_is_one_device(fd);
		break;
	case SYS_FS_BTRFS:
	case SYS_FS_NFS:
	case SYS_FS_OTHER:
		break;
	}
	errno = error;
	return r;
}

int
journal_settle(int fd, bool keeps_order)
{
	int r = keeps_order ? sys_finish_writeback(fd) : 0;

	return r == 0 ? fsops_sync(fd) : r == 1 ? 0 : -1;
}
