/* checkpassword-smtp - check a login of users/poppasswd.cdb, and become nobody else.
 * Run by: qmail-smtpd, as qmaild; set-uid qmailp, who may read the database.  Others than qmaild
 * and root it does not serve, because it would try passwords for them.  fd 3: name NUL password or
 * digest NUL challenge NUL, 512 bytes at most.  argv: program and its arguments, run as the caller.
 * Environment: read by nobody but the program.
 * Exit: 1 refused, 2 called wrongly, 111 temporary trouble, also: not for you; else the
 * program's. */
#include <unistd.h>

#include "lib/caller.h"
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/sys.h"
#include "pop3/login.h"
#include "pop3/popusers.h"

extern char **environ;

static bool
is_served(void)
{
	return getuid() == 0 || caller_is(USER_DAEMON);
}

static int
check(struct login *l)
{
	struct poppasswd user;
	struct buf record = { 0 };
	enum verdict verdict = popusers_check(l, &user, &record);

	buf_wipe(&record);
	sys_wipe(l, sizeof *l);
	return verdict == VERDICT_GOOD ? CODE_OK :
	    verdict == VERDICT_BAD ? LOGIN_REFUSED : CODE_TEMP;
}

int
main(int argc, char *argv[])
{
	struct login login;
	int code;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (argc < 2)
		return LOGIN_MISUSED;
	sys_no_core();
	if (!is_served())
		return report_fail(CODE_TEMP, "checkpassword-smtp: fatal: only " USER_DAEMON
		    " and root may use it");
	if ((code = login_read(&login)) != CODE_OK || (code = check(&login)) != CODE_OK)
		return code;
	if (sys_drop_setid() == 0)
		proc_exec(argv[1], true, argv + 1, environ);
	return CODE_TEMP;
}
