/* qmail-lspawn - start local deliveries.
 * Run by: qmail-start, as root, group qmail.  fd 0: commands, fd 1: reports (queue/spawnproto.h).
 * Argument: default delivery instructions.  Environment: QMAILLOCAL names the program to run
 * instead of qmail-local; all of it is passed on to deliveries.
 * Exit: 0 end of commands and all deliveries done, CODE_PERM no argument, CODE_TEMP cannot start.
 * Limits and environment are the administrator's for the users' programs, so none is changed. */
#include <stdlib.h>

#include "lib/conf.h"
#include "lib/proc.h"
#include "lib/uids.h"
#include "queue/accountproto.h"
#include "spawn/lchild.h"
#include "spawn/report.h"
#include "spawn/spawnd.h"

static pid_t
start(const void *state, const struct spawnd_delivery *d, int *code)
{
	return lchild_start(state, d, code);
}

int
main(int argc, char *argv[])
{
	char getpw[] = QMAIL_HOME "/bin/qmail-getpw", local[] = "bin/qmail-local";
	struct resident accounts = { .program = getpw, .greeting = ACCOUNTPROTO_GREETING,
		.chdir = QMAIL_HOME };
	struct lchild child = { .program = getenv("QMAILLOCAL"), .accounts = &accounts };
	const struct spawnd_ops ops = { .start = start, .limit = report_limit_local,
		.report = report_local, .state = &child, .batch = 1 };
	gid_t primary;

	if (argc < 2)
		return CODE_PERM;
	child.default_delivery = argv[1];
	if (!child.program || !*child.program)
		child.program = local;
	if (uids_user(USER_PASSWD, &child.getpw.uid, &primary) != UIDS_FOUND ||
	    uids_group(GROUP_NOFILES, &child.getpw.gid) != UIDS_FOUND)
		return CODE_TEMP;
	accounts.cred = &child.getpw;
	return spawnd_run(&ops);
}
