/* sandbox - least power, by name. */
#include "lib/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/sys.h"
#include "lib/sysfilter.h"

#define FILE_READ ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define FILE_RUN (FILE_READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define FILE_WRITE (FILE_READ | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define TREE_READ (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
#define TREE_RUN (TREE_READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define TREE_WRITE (FILE_WRITE | LANDLOCK_ACCESS_FS_READ_DIR)
#define TREE_CHANGE (TREE_WRITE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define TREE_BUILD (TREE_CHANGE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_FIFO)
/* All of ABI 1. */
#define HANDLED ((uint64_t)(LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
/* linking or renaming between directories: bit 13, since ABI 2 (absent in older headers) */
#define REFER ((uint64_t)1 << 13)

void
sandbox_limits(void)
{
	sys_no_core();
}

int
sandbox_plain(size_t max_bytes)
{
	const struct rlimit cap = { max_bytes, max_bytes };

	sys_no_core();
	if (max_bytes && setrlimit(RLIMIT_AS, &cap) == -1)
		return -1;
	return sys_no_new_privs();
}

static uint64_t
access_of(enum sandbox_use use, bool directory)
{
	switch (use) {
	case SANDBOX_READ:
		return directory ? TREE_READ : FILE_READ;
	case SANDBOX_RUN:
		return directory ? TREE_RUN : FILE_RUN;
	case SANDBOX_WRITE:
		return directory ? TREE_WRITE : FILE_WRITE;
	case SANDBOX_CHANGE:
		return directory ? TREE_CHANGE | REFER : FILE_WRITE;
	case SANDBOX_BUILD:
		break;
	}
	return directory ? TREE_BUILD | REFER : FILE_WRITE;
}

static int
allow(int ruleset, const struct sandbox_path *path)
{
	int fd = sys_open_path(path->path);
	int r, error;

	if (fd == -1)	/* not there, or out of our reach: then nobody needs it allowed */
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -1;
	/* EINVAL: these rights are for directories. */
	r = sys_landlock_allow(ruleset, fd, access_of(path->use, true));
	if (r == -1 && errno == EINVAL)
		r = sys_landlock_allow(ruleset, fd, access_of(path->use, false));
	error = errno;
	(void)close(fd);
	errno = error;
	return r;
}

static bool
wants_change(const struct sandbox_path *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i].use >= SANDBOX_CHANGE)
			return true;
	return false;
}

int
sandbox_paths(const struct sandbox_path *paths, size_t n)
{
	int abi = sys_landlock_abi();
	int ruleset, r = 0, error;

	if (sandbox_plain(0) == -1)
		return -1;
	if (!abi || (abi < 2 && wants_change(paths, n)))
		return 0;
	ruleset = sys_landlock_ruleset(abi < 2 ? HANDLED : HANDLED | REFER);
	if (ruleset == -1)
		return -1;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = allow(ruleset, &paths[i]);
	if (r == 0)
		r = sys_landlock_enter(ruleset);
	error = errno;
	(void)close(ruleset);
	errno = error;
	return r;
}

int
sandbox_pump(void)
{
	const struct rlimit none = { 0, 0 };

	if (sys_not_dumpable() == -1 || sandbox_paths(NULL, 0) == -1 ||
	    setrlimit(RLIMIT_NPROC, &none) == -1)
		return -1;
	return sysfilter_only_move_bytes();
}
