/* uids: found, absent, failed. */
#include "lib/uids.h"

#include <stdlib.h>

#include "tap.h"

int
main(void)
{
	struct tap t = { 0 };
	struct account a = { 0 };
	uid_t uid = 1;
	gid_t gid = 1;
	char longest[70000];

	ok(&t, uids_account("root", &a) == UIDS_FOUND && a.uid == 0, "an account");
	is(&t, buf_span(&a.name), span_str("root"), "its name");
	ok(&t, buf_str(&a.home)[0] == '/' && buf_str(&a.shell)[0] == '/', "home and shell");
	ok(&t, uids_account("no-such-user", &a) == UIDS_ABSENT, "no such account");
	is(&t, buf_span(&a.name), span_str("root"), "changes nothing");
	ok(&t, uids_account("", &a) == UIDS_ABSENT, "no name");
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	ok(&t, uids_account(longest, &a) != UIDS_FOUND, "a very long name");
	ok(&t, uids_account_of(0, &a) == UIDS_FOUND && strcmp(buf_str(&a.name), "root") == 0,
	    "by number");
	ok(&t, uids_account_of(3999999999U, &a) == UIDS_ABSENT, "no such number");
	ok(&t, uids_user("root", &uid, &gid) == UIDS_FOUND && uid == 0 && gid == 0, "ids");
	uid = gid = 7;
	ok(&t, uids_user("no-such-user", &uid, &gid) == UIDS_ABSENT && uid == 7 && gid == 7,
	    "ids of nobody");
	ok(&t, uids_group("root", &gid) == UIDS_FOUND && gid == 0, "a group");
	gid = 7;
	ok(&t, uids_group("no-such-group", &gid) == UIDS_ABSENT && gid == 7, "no such group");
	uids_account_free(&a);
	uids_account_free(&a);
	return done(&t);
}
