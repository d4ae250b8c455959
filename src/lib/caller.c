/* caller - who has started a set-uid program. */
#include "lib/caller.h"

#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/uids.h"

bool
caller_gains_nothing(void)
{
	return getuid() == geteuid() || getuid() == 0;
}

bool
caller_is(const char *name)
{
	uid_t uid;
	gid_t gid;

	return uids_user(name, &uid, &gid) == UIDS_FOUND && uid == getuid();
}

bool
caller_is_server(void)
{
	struct buf names = { 0 };
	struct span name;
	size_t pos = 0;
	bool is = caller_gains_nothing() || caller_is(USER_DAEMON);

	if (is)
		return true;
	switch (ctl_list("tlsusers", &names)) {
	case CTL_ABSENT:
		is = caller_is("vpopmail");
		break;
	case CTL_FOUND:
		/* Entries end with NUL. */
		while (!is && ctl_next(&names, &pos, &name))
			is = caller_is(name.p);
		break;
	case CTL_ERROR:
		break;
	}
	buf_free(&names);
	return is;
}
