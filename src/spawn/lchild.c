/* lchild - one local delivery, in a process of its own, as root. */
#include "spawn/lchild.h"

#include <errno.h>
#include <fcntl.h>
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
#define LOCAL "bin/qmail-local"
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
	/* On descriptor 0 we still have the commands: not for it. */
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

static int
find_user(const struct lchild *l, char *local, struct buf *answer)
{
	switch (userdb_lookup("users/cdb", span_str(local), answer)) {
	case USERDB_FOUND:
		return 0;
	case USERDB_ABSENT:
		return ask_getpw(l, local, answer);
	case USERDB_MEMORY:
		return LS_MEMORY;
	case USERDB_FAILED:
		break;
	}
	return LS_CDB;
}

/* ---- becoming it ---- */

static int
become(const struct lchild_user *u)
{
	/* One group and no other: the user's name need not be one of an account. */
	if (sys_become(u->uid, u->gid) == -1)
		return LS_BUG;
	return getuid() == 0 ? LS_ROOT : 0;
}

static int
exec_local(const struct lchild *l, const struct lchild_user *u, char *local, char *host,
    char *sender)
{
	char path[] = LOCAL, end_of_options[] = "--";
	char *argv[] = { path, end_of_options, u->name, u->home, local, u->dash, u->ext, host,
		sender, l->default_delivery, NULL };

	proc_exec(path, false, argv, environ);
	return errtext_temporary(errno) ? LS_EXEC_TEMPORARY : LS_EXEC;
}

/* local: the recipient, cut at its last @. */
static int
deliver(const struct lchild *l, const struct spawnd_delivery *d, char *local, char *sender,
    struct buf *answer)
{
	struct lchild_user user;
	int code;

	if ((code = find_user(l, local, answer)) != 0)
		return code;
	if (!buf_ok(answer))
		return LS_MEMORY;
	if ((code = lchild_parse_user(answer->p, answer->n, &user)) != 0)
		return code;
	if (proc_copy_fd(0, d->message_fd) == -1 || proc_copy_fd(1, d->output_fd) == -1 ||
	    proc_copy_fd(2, d->output_fd) == -1)
		return LS_TEMPORARY;
	if ((code = become(&user)) != 0)
		return code;
	return exec_local(l, &user, local, local + d->at + 1, sender);
}

int
lchild_run(const struct lchild *l, const struct spawnd_delivery *d)
{
	struct buf answer = { 0 };
	char *local, *sender;
	int code = LS_MEMORY;

	if (d->at == 0)
		return CODE_OK;		/* an address that throws mail away */
	if (chdir(QMAIL_HOME) == -1)
		return LS_BUG;
	local = strdup(d->recipient);
	sender = strdup(d->sender);
	if (local && sender) {
		local[d->at] = '\0';
		code = deliver(l, d, local, sender, &answer);
	}
	free(local);
	free(sender);
	buf_free(&answer);
	return code;
}
