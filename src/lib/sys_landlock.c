/* sys_landlock - the calls of Landlock, for which the C library has no functions. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/sys.h"

int
sys_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

int
sys_landlock_ruleset(uint64_t fs)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = fs };

	return (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
}

int
sys_open_path(const char *path)
{
	return open(path, O_PATH | O_CLOEXEC);
}

int
sys_landlock_allow(int ruleset, int fd, uint64_t access)
{
	const struct landlock_path_beneath_attr attr = { .allowed_access = access,
		.parent_fd = fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
}

int
sys_landlock_enter(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
