/* qmail-lspawn - start local deliveries.
 * Run by: qmail-start, as root, group qmail.  fd 0: commands, fd 1: reports (queue/spawnproto.h).
 * Argument: default delivery instructions.  Environment: QMAILLOCAL names the program to run
 * instead of qmail-local; all of it is passed on to deliveries.
 * Exit: 0 end of commands and all deliveries done, CODE_PERM no argument, CODE_TEMP cannot start.
 * Limits and environment are the administrator's for the users' programs: what we need more of open
 * files is ours alone. */
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/proc.h"
#include "lib/sys.h"
#include "lib/uids.h"
#include "queue/accountproto.h"
#include "queue/stayproto.h"
#include "spawn/lchild.h"
#include "spawn/report.h"
#include "spawn/spawnd.h"
#include "spawn/workers.h"

static pid_t
start(const void *state, const struct spawnd_delivery *d, int *code)
{
	return lchild_start(state, d, code);
}

static bool
hand(const void *state, const struct spawnd_delivery *d, struct worker *w)
{
	return lchild_hand(state, d, w);
}

static void
reaped(const void *state, pid_t pid)
{
	const struct lchild *l = state;

	accounts_reaped(l->accounts, pid);
}

int
main(int argc, char *argv[])
{
	char getpw[] = QMAIL_HOME "/bin/qmail-getpw", local[] = "bin/qmail-local";
	char usual[] = QMAIL_HOME "/bin/qmail-local", room[STAYPROTO_ROOM + 1];
	struct accounts accounts = { .getpw = { .program = getpw,
		.greeting = ACCOUNTPROTO_GREETING, .chdir = QMAIL_HOME } };
	struct workers workers = { .switches = true, .probe = { .program = usual,
		.greeting = STAYPROTO_LOCAL, .chdir = QMAIL_HOME, .argument = room } };
	struct lchild child = { .program = getenv("QMAILLOCAL"), .accounts = &accounts,
		.workers = &workers, .files = sys_files() };
	struct spawnd_ops ops = { .start = start, .limit = report_limit_local,
		.report = report_local, .reaped = reaped, .state = &child, .batch = 1 };
	gid_t primary;

	if (argc < 2)
		return CODE_PERM;
	child.default_delivery = argv[1];
	if (!child.program || !*child.program) {
		child.program = local;
		ops.hand = hand;
		ops.workers = &workers;
	}
	memset(room, ' ', STAYPROTO_ROOM);
	room[STAYPROTO_ROOM] = '\0';
	if (uids_user(USER_PASSWD, &child.getpw.uid, &primary) != UIDS_FOUND ||
	    uids_group(GROUP_NOFILES, &child.getpw.gid) != UIDS_FOUND)
		return CODE_TEMP;
	/* It delivers nothing, so it is nobody whose mail it could be. */
	accounts.getpw.cred = workers.probe.cred = &child.getpw;
	return spawnd_run(&ops);
}
