/* checkpassword-cdb - check a login of users/poppasswd.cdb and become the user.
 * Run by: qmail-popup, as root.  fd 3: name NUL password or digest NUL challenge NUL, 512 bytes at
 * most; others go through to the program.  argv: program and its arguments.  Environment: passed on
 * with USER, HOME, SHELL and perhaps MAILDIR set.
 * Exit: 1 refused, 2 called wrongly, 111 temporary trouble; else the program's. */
#include "lib/conf.h"
#include "lib/sys.h"
#include "lib/uids.h"
#include "pop3/login.h"
#include "pop3/popusers.h"

#define NO_SHELL "/bin/false"		/* of users who are no accounts */

/* The ids of an account, or those of the record. */
static int
find_ids(const struct poppasswd *user, struct login_target *t)
{
	struct buf name = { 0 };
	enum uids_status status = UIDS_FOUND;

	t->uid = user->uid;
	t->gid = user->gid;
	if (user->account.n) {
		buf_addspan(&name, user->account);
		status = buf_ok(&name) ? uids_user(buf_str(&name), &t->uid, &t->gid) : UIDS_FAILED;
		buf_free(&name);
	}
	return status == UIDS_FOUND ? 0 : -1;
}

/* Returns only if it fails. */
static int
run(const struct login *l, const struct poppasswd *user, char *const argv[])
{
	struct login_target t = { .user = l->name, .shell = NO_SHELL };
	struct buf home = { 0 }, maildir = { 0 };

	buf_addspan(&home, user->home);
	buf_addspan(&maildir, user->maildir);
	t.home = buf_str(&home);
	if (user->maildir.n)
		t.maildir = buf_str(&maildir);
	if (!buf_ok(&home) || !buf_ok(&maildir) || find_ids(user, &t) == -1)
		return CODE_TEMP;
	if (t.uid == 0 || t.gid == 0)
		return LOGIN_REFUSED;
	login_become(&t, argv);
	return CODE_TEMP;
}

int
main(int argc, char *argv[])
{
	struct poppasswd user;
	struct buf record = { 0 };
	struct login login;
	int code;

	if (argc < 2)
		return LOGIN_MISUSED;
	sys_no_core();
	if ((code = login_read(&login)) != CODE_OK)
		return code;
	switch (popusers_check(&login, &user, &record)) {
	case VERDICT_GOOD:
		return run(&login, &user, argv + 1);
	case VERDICT_BAD:
		return LOGIN_REFUSED;
	default:
		return CODE_TEMP;
	}
}
