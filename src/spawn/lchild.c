/* lchild - one local delivery. */
#include "spawn/lchild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "mail/userdb.h"
#include "queue/lscode.h"

#define GETPW "bin/qmail-getpw"
#define LOCAL_ARGUMENTS 11	/* with the NULL */
#define FIRST_OPERAND 2		/* of them */
#define USER_FIELDS 6
#define ID_MAX ((uint64_t)UINT32_MAX - 1)	/* the highest value stands for "no id" */

extern char **environ;

/* ---- which user ---- */

static int
parse_id(const char *text, uint32_t *id)
{
	uint64_t value = 0;

	/* Cut to one more than allowed, so too much is seen. */
	(void)num_lead_u64(span_str(text), ID_MAX + 1, &value);
	if (value > ID_MAX)
		return LS_BUG;
	*id = (uint32_t)value;
	return 0;
}

int
lchild_parse_user(char *text, size_t n, struct lchild_user *u)
{
	char *field[USER_FIELDS];

	for (size_t i = 0; i < USER_FIELDS; i++) {
		char *end = n ? memchr(text, '\0', n) : NULL;

		if (!end)
			return LS_BUG;
		field[i] = text;
		n -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	u->name = field[0];
	u->home = field[3];
	u->dash = field[4];
	u->ext = field[5];
	return parse_id(field[1], &u->uid) || parse_id(field[2], &u->gid) ? LS_BUG : 0;
}

/* Starts qmail-getpw with its output on a pipe; the exit code of a failure goes to *code. */
static pid_t
start_getpw(const struct lchild *l, char *local, int *output, int *code)
{
	char name[] = GETPW;
	char *argv[] = { name, local, NULL };
	enum proc_step step = PROC_FORK;
	int fds[2], null_fd;
	pid_t pid;

	*code = LS_TEMPORARY;
	if (sys_pipe(fds) == -1)
		return -1;
	/* On descriptor 0 we have the message: not for it. */
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid = proc_spawn(&(struct proc_spawn){ .argv = argv, .cred = &l->getpw,
	    .fds = { { 0, null_fd }, { 1, fds[1] } }, .nfds = 2 }, &step);
	if (null_fd != -1)
		(void)close(null_fd);
	if (pid == -1 && step == PROC_EXEC)
		*code = LS_EXEC_GETPW;
	else if (pid == -1 && step == PROC_CRED)
		*code = LS_BUG;
	(void)close(fds[1]);
	if (pid == -1)
		(void)close(fds[0]);
	*output = fds[0];
	return pid;
}

/* Asks the account database. */
static int
ask_getpw(const struct lchild *l, char *local, struct buf *answer)
{
	enum io_status status;
	int fd, code, wstatus;
	pid_t pid;

	if ((pid = start_getpw(l, local, &fd, &code)) == -1)
		return code;
	buf_reset(answer);
	answer->max = LCHILD_USER_MAX;
	status = io_read_all(fd, answer);
	(void)close(fd);
	code = proc_wait(pid, &wstatus) == -1 ? -1 : proc_code(wstatus);
	if (status == IO_TOOLONG)	/* then its end is our doing */
		return answer->over ? LS_BUG : LS_MEMORY;
	if (code == -1 || status != IO_OK)
		return LS_TEMPORARY;
	return code == CODE_UNLOADABLE ? LS_EXEC_GETPW : code;
}

/* Without a process of its own for it.  False: it takes one. */
static bool
find_user(const struct lchild *l, const char *local, struct buf *answer, int *code)
{
	switch (userdb_lookup(QMAIL_HOME "/users/cdb", span_str(local), answer)) {
	case USERDB_FOUND:
		*code = buf_ok(answer) ? 0 : LS_MEMORY;
		return true;
	case USERDB_ABSENT:
		return accounts_ask(l->accounts, local, answer, code);
	case USERDB_MEMORY:
		*code = LS_MEMORY;
		return true;
	case USERDB_FAILED:
		break;
	}
	*code = LS_CDB;
	return true;
}

/* ---- running qmail-local ---- */

/* One delivery; memory of its own. */
struct job {
	const struct lchild *l;
	const struct spawnd_delivery *d;
	char *local;		/* the recipient, cut at its last @ */
	char *sender;
	struct buf answer;	/* what user points into */
	struct lchild_user user;
	char end_of_options[3];
	char *argv[LOCAL_ARGUMENTS];
};

/* The answer is there: what to run.  0, or an exit code. */
static int
set_arguments(struct job *j)
{
	struct lchild_user *u = &j->user;
	int code = lchild_parse_user(j->answer.p, j->answer.n, u);
	char *argv[LOCAL_ARGUMENTS] = { j->l->program, j->end_of_options, u->name, u->home,
		j->local, u->dash, u->ext, j->local + j->d->at + 1, j->sender,
		j->l->default_delivery, NULL };

	if (code != 0)
		return code;
	memcpy(j->argv, argv, sizeof argv);
	return u->uid == 0 ? LS_ROOT : 0;
}

/* The user is known: becomes it, one group and no other, since its name need
 * not be one of an account; turns into qmail-local.
 *
 * The child must not share our memory, as it does in proc_spawn: once it is the user, the user can
 * stop it before its exec, and with it all others' deliveries. */
static int
become_and_exec(const struct job *j)
{
	if (proc_copy_fd(2, 1) == -1)
		return LS_TEMPORARY;
	sys_set_files(&j->l->files);
	if (sys_become(j->user.uid, j->user.gid) == -1)
		return LS_BUG;
	proc_exec(j->argv[0], false, j->argv, environ);
	return errtext_temporary(errno) ? LS_EXEC_TEMPORARY : LS_EXEC;
}

/* In a child of ours.  What it may wait for, or be stopped in, must not hold what else we have
 * open: commands, reports, and workers, which end when nobody has their socket any more. */
static int
deliver(struct job *j, bool known)
{
	int code = CODE_OK;

	if (chdir(QMAIL_HOME) == -1)
		return LS_BUG;
	if (proc_copy_fd(0, j->d->message_fd) == -1 || proc_copy_fd(1, j->d->output_fd) == -1)
		return LS_TEMPORARY;
	sys_close_from(3);
	if (!known && (code = ask_getpw(j->l, j->local, &j->answer)) == 0)
		code = set_arguments(j);
	return code == CODE_OK ? become_and_exec(j) : code;
}

static pid_t
start(struct job *j, int *code)
{
	const bool known = find_user(j->l, j->local, &j->answer, code);
	pid_t pid;

	if (known && (*code != 0 || (*code = set_arguments(j)) != 0))
		return 0;
	if ((pid = proc_fork()) == 0)
		_exit(deliver(j, known));
	return pid;
}

/* false: no memory. */
static bool
take_addresses(struct job *j)
{
	j->local = strdup(j->d->recipient);
	j->sender = strdup(j->d->sender);
	if (!j->local || !j->sender)
		return false;
	j->local[j->d->at] = '\0';
	return true;
}

static void
free_job(struct job *j)
{
	free(j->local);
	free(j->sender);
	buf_free(&j->answer);
}

pid_t
lchild_start(const struct lchild *l, const struct spawnd_delivery *d, int *code)
{
	struct job j = { .l = l, .d = d, .end_of_options = "--" };
	pid_t pid = 0;

	*code = CODE_OK;
	if (d->at == 0)
		return 0;	/* an address that throws mail away */
	if (take_addresses(&j))
		pid = start(&j, code);
	else
		*code = LS_MEMORY;
	free_job(&j);
	return pid;
}

/* What is in the way is told by lchild_start. */
static bool
hand(struct job *j, struct worker *w)
{
	struct buf operands = { 0 };
	struct proc_cred cred;
	bool handed = false;
	int code;

	if (!take_addresses(j) || !find_user(j->l, j->local, &j->answer, &code) || code != 0 ||
	    set_arguments(j) != 0)
		return false;
	for (size_t i = FIRST_OPERAND; j->argv[i]; i++) {
		buf_adds(&operands, j->argv[i]);
		buf_addc(&operands, '\0');
	}
	cred = (struct proc_cred){ j->user.uid, j->user.gid };
	if (buf_ok(&operands))
		handed = workers_hand(j->l->workers, &cred, buf_span(&operands),
		    j->d->message_fd, w);
	buf_free(&operands);
	return handed;
}

bool
lchild_hand(const struct lchild *l, const struct spawnd_delivery *d, struct worker *w)
{
	struct job j = { .l = l, .d = d };
	bool handed = d->at != 0 && hand(&j, w);

	free_job(&j);
	return handed;
}
