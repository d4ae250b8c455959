/* power - what qmail-tls may do by being set-uid, and how it gets rid of it. */
#include "tls/power.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/caller.h"
#include "lib/conf.h"
#include "lib/sandbox.h"
#include "lib/sys.h"
#include "lib/uids.h"

bool
power_may_connect(void)
{
	return caller_gains_nothing() || caller_is(USER_REMOTE);
}

bool
power_may_serve(void)
{
	return caller_is_server();
}

int
power_open_for_caller(const char *path)
{
	int fd, error;

	if (sys_lend_setid() == -1)
		return -1;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	error = errno;
	if (sys_return_setid() == -1 && fd != -1) {
		error = errno;
		(void)close(fd);
		fd = -1;
	}
	errno = error;
	return fd;
}

/* Started by root, and the set-uid bit is lost, or the file is root's. */
static int
leave_root(void)
{
	uid_t uid;
	gid_t gid;

	if (uids_user(USER_TLS, &uid, &gid) != UIDS_FOUND || uid == 0) {
		errno = EPERM;
		return -1;
	}
	return sys_become(uid, gid);
}

int
power_keep(void)
{
	struct account a = { 0 };
	int rc = -1;

	if (geteuid() == 0)
		return leave_root();
	if (getuid() != 0 || geteuid() == 0)
		return sys_keep_setid(getgid());
	if (uids_account_of(geteuid(), &a) == UIDS_FOUND)
		rc = sys_keep_setid(a.gid);
	uids_account_free(&a);
	return rc;
}

int
power_drop(void)
{
	return sys_drop_setid();
}

int
power_sandbox(void)
{
	return sandbox_pump();
}
