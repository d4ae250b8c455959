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

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/proc.h"
#include "lib/progpath.h"
#include "lib/span.h"
#include "queue/stayproto.h"
#include "queue/tcpto.h"
#include "spawn/batch.h"
#include "spawn/report.h"
#include "spawn/spawnd.h"
#include "spawn/workers.h"

_Static_assert(STAYPROTO_STRINGS == BATCH_MAX + 2, "a batch fits");

#define FIXED_ARGUMENTS 3		/* program, host, sender */

struct remote {
	char *program;
	struct workers *workers;
	struct buf *path;		/* of the program that was found */
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

/* Bytes of all recipients with their NULs. */
static size_t
recipients_size(const struct spawnd_delivery *d)
{
	const char *end = d->recipient;

	for (size_t i = 0; i < d->n; i++)
		end += strlen(end) + 1;
	return (size_t)(end - d->recipient);
}

/* In memory of our own. */
static char *
copy_recipients(const struct spawnd_delivery *d)
{
	const size_t size = recipients_size(d);
	char *copy = malloc(size);

	if (copy)
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
	*code = CODE_OK;
	return run(state, d, code);
}

/* ---- by a qmail-remote that stays ---- */

static bool
hand(const void *state, const struct spawnd_delivery *d, struct worker *w)
{
	const struct remote *remote = state;
	struct buf arguments = { 0 };
	bool found, handed = false;

	buf_adds(&arguments, d->recipient + d->at + 1);
	buf_addc(&arguments, '\0');
	buf_adds(&arguments, d->sender);
	buf_addc(&arguments, '\0');
	buf_add(&arguments, d->recipient, recipients_size(d));
	found = progpath_find(remote->program, remote->path);
	remote->workers->probe.program = remote->path->p;	/* it moves, found or not */
	if (found && buf_ok(&arguments)) {
		handed = workers_hand(remote->workers, NULL, buf_span(&arguments), d->message_fd,
		    w);
	}
	buf_free(&arguments);
	return handed;
}

/* ---- */

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
	char room[STAYPROTO_ROOM + 1], usual[] = "qmail-remote", *program = getenv("QMAILREMOTE");
	const bool own = program && *program;
	struct buf path = { 0 };
	struct workers workers = { .probe = { .greeting = STAYPROTO_REMOTE, .argument = room } };
	struct remote remote = { own ? program : usual, &workers, &path };
	struct spawnd_ops ops = { .start = start, .limit = report_limit_remote,
		.report = report_remote, .state = &remote, .batch = read_batch() };
	int code;

	memset(room, ' ', STAYPROTO_ROOM);
	room[STAYPROTO_ROOM] = '\0';
	if (!own) {
		ops.hand = hand;
		ops.workers = &workers;
	}
	tcpto_clear(QMAIL_HOME "/queue/lock");
	code = spawnd_run(&ops);
	buf_free(&path);
	return code;
}
