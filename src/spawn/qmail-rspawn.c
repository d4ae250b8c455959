/* qmail-rspawn - start remote deliveries.
 * Run by: qmail-start, as qmailr.  fd 0: commands, fd 1: reports (queue/spawnproto.h).
 * Arguments: none.  Environment: QMAILREMOTE names the program to run instead of qmail-remote, PATH
 * where it is; all of it is passed on.
 * Exit: 0 end of commands and all deliveries done, CODE_TEMP cannot start.
 * Never sets no_new_privs: a program that QMAILREMOTE names may need set-uid programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/proc.h"
#include "queue/tcpto.h"
#include "spawn/report.h"
#include "spawn/spawnd.h"

struct remote {
	char *program;
};

static pid_t
start(const void *state, const struct spawnd_delivery *d, int *code)
{
	const struct remote *remote = state;
	char *host = strdup(d->recipient + d->at + 1);
	char *sender = strdup(d->sender);
	char *recipient = strdup(d->recipient);
	char *argv[] = { remote->program, host, sender, recipient, NULL };
	const struct proc_spawn spawn = {
		.search = true,
		.argv = argv,
		.fds = { { 0, d->message_fd }, { 1, d->output_fd }, { 2, d->output_fd } },
		.nfds = 3,
	};
	enum proc_step step = PROC_FORK;
	pid_t pid = -1;

	if (host && sender && recipient)
		pid = proc_spawn(&spawn, &step);
	if (pid == -1 && step != PROC_FORK) {
		*code = step == PROC_EXEC && !errtext_temporary(errno) ? CODE_PERM : CODE_TEMP;
		pid = 0;
	}
	free(host);
	free(sender);
	free(recipient);
	return pid;
}

int
main(void)
{
	const char *program = getenv("QMAILREMOTE");
	struct remote remote = { .program = strdup(program && *program ? program :
	    "qmail-remote") };
	const struct spawnd_ops ops = { .start = start, .limit = report_limit_remote,
		.report = report_remote, .state = &remote };
	int code = CODE_TEMP;

	if (remote.program) {
		tcpto_clear(QMAIL_HOME "/queue/lock");
		code = spawnd_run(&ops);
	}
	free(remote.program);
	return code;
}
