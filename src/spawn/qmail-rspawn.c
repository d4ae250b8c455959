/* qmail-rspawn - start remote deliveries.
 * Run by: qmail-start, as qmailr.  fd 0: commands, fd 1: reports (queue/spawnproto.h).
 * Arguments: none.  Environment: QMAILREMOTE names the program to run instead of qmail-remote, PATH
 * where it is; all of it is passed on.
 * control/remotebatch: most recipients of one message that one qmail-remote gets, if they have
 * sender and host in common and are due together.  None: 1.
 * Exit: 0 end of commands and all deliveries done, CODE_TEMP cannot start.
 * Never sets no_new_privs: a program that QMAILREMOTE names may need set-uid programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/proc.h"
#include "queue/remoteproto.h"
#include "queue/tcpto.h"
#include "spawn/batch.h"
#include "spawn/handover.h"
#include "spawn/report.h"
#include "spawn/spawnd.h"

#define FIXED_ARGUMENTS 3		/* program, host, sender */

struct remote {
	char *program;
	struct handover *handover;
};

/* One string after the other, into what is run. */
static void
set_recipients(char **argv, char *recipients, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		argv[i] = recipients;
		recipients += strlen(recipients) + 1;
	}
	argv[n] = NULL;
}

/* All recipients with their NULs, in memory of our own. */
static char *
copy_recipients(const struct spawnd_delivery *d)
{
	const char *end = d->recipient;
	size_t size;
	char *copy;

	for (size_t i = 0; i < d->n; i++)
		end += strlen(end) + 1;
	size = (size_t)(end - d->recipient);
	if ((copy = malloc(size)) != NULL)
		memcpy(copy, d->recipient, size);
	return copy;
}

static pid_t
run(const struct remote *remote, const struct spawnd_delivery *d, int *code)
{
	char *host = strdup(d->recipient + d->at + 1);
	char *sender = strdup(d->sender);
	char *recipients = copy_recipients(d);
	char *argv[FIXED_ARGUMENTS + BATCH_MAX + 1] = { remote->program, host, sender };
	const struct proc_spawn spawn = {
		.search = true,
		.light = true,
		.argv = argv,
		.fds = { { 0, d->message_fd }, { 1, d->output_fd }, { 2, d->output_fd } },
		.nfds = 3,
	};
	enum proc_step step = PROC_FORK;
	pid_t pid = -1;

	if (host && sender && recipients) {
		set_recipients(argv + FIXED_ARGUMENTS, recipients, d->n);
		pid = proc_spawn(&spawn, &step);
	}
	if (pid == -1 && step != PROC_FORK) {
		*code = step == PROC_EXEC && !errtext_temporary(errno) ? CODE_PERM : CODE_TEMP;
		pid = 0;
	}
	free(host);
	free(sender);
	free(recipients);
	return pid;
}

static pid_t
start(const void *state, const struct spawnd_delivery *d, int *code)
{
	const struct remote *remote = state;
	pid_t pid = handover(remote->handover, d);

	*code = CODE_OK;
	return pid ? pid : run(remote, d, code);
}

/* control/remotebatch.  What cannot be read switches nothing on. */
static size_t
read_batch(void)
{
	uint64_t n = 1;

	if (chdir(QMAIL_HOME) == -1 ||
	    ctl_number("remotebatch", BATCH_MAX, &n) != CTL_FOUND || n == 0)
		return 1;
	return (size_t)n;
}

int
main(void)
{
	char room[REMOTEPROTO_ROOM + 1], usual[] = "qmail-remote", *program = getenv("QMAILREMOTE");
	const bool own = program && *program;
	struct handover handover = { .program = own ? NULL : usual,
		.resident = { .greeting = REMOTEPROTO_GREETING, .argument = room } };
	struct remote remote = { .program = own ? program : usual, .handover = &handover };
	const struct spawnd_ops ops = { .start = start, .limit = report_limit_remote,
		.report = report_remote, .state = &remote, .batch = read_batch() };
	int code;

	memset(room, ' ', REMOTEPROTO_ROOM);
	room[REMOTEPROTO_ROOM] = '\0';
	tcpto_clear(QMAIL_HOME "/queue/lock");
	code = spawnd_run(&ops);
	handover_end(&handover);
	return code;
}
