/* qmail-start - starts the daemons of the queue, connects them, and becomes qmail-send
 * (qmail-start(8)).
 *
 * Run by root (boot file, supervise) as: qmail-start [defaultdelivery [logger arg ...]]
 * The programs are found through PATH; environment and limits reach all of them.  Descriptor 1
 * takes the log, or the logger's output; every other one is closed.  Nothing is printed.
 *
 *	process		user:group	0		1		others
 *	logger		qmaill:nofiles	log		our 1
 *	qmail-lspawn	root:qmail	send 1		send 2
 *	qmail-rspawn	qmailr:qmail	send 3		send 4
 *	qmail-clean	qmailq:qmail	send 5		send 6
 *	qmail-todo	qmails:qmail	send 7		send 8		2, 3: its own qmail-clean
 *	qmail-clean	qmailq:qmail	todo 2		todo 3
 *	qmail-send	qmails:qmail	log		lspawn's 0	2 to 8: as above
 *
 * Descriptor 2 of all but qmail-send and qmail-todo is /dev/null.
 * Exit: 111 for every failure; what was started finds its pipes closed and ends. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "lib/uids.h"

#define DEFAULT_DELIVERY "./Mailbox"
#define SEND_FDS 9

extern char **environ;

struct pipe {
	int read, write;
};

struct start {
	uid_t log_uid, queue_uid, remote_uid, send_uid;
	gid_t qmail_gid, nofiles_gid;
	int null;
	int log_fd;		/* where qmail-send's log goes */
	struct pipe to_local, from_local, to_remote, from_remote, to_clean, from_clean;
	struct pipe to_todo, from_todo, to_clean2, from_clean2;
};

static int
find_ids(struct start *s)
{
	gid_t unused;

	return uids_user(USER_LOG, &s->log_uid, &unused) == UIDS_FOUND &&
	    uids_user(USER_QUEUE, &s->queue_uid, &unused) == UIDS_FOUND &&
	    uids_user(USER_REMOTE, &s->remote_uid, &unused) == UIDS_FOUND &&
	    uids_user(USER_SEND, &s->send_uid, &unused) == UIDS_FOUND &&
	    uids_group(GROUP_QMAIL, &s->qmail_gid) == UIDS_FOUND &&
	    uids_group(GROUP_NOFILES, &s->nofiles_gid) == UIDS_FOUND ? 0 : -1;
}

static int
make_pipe(struct pipe *p)
{
	int fds[2];

	if (sys_pipe(fds) == -1)
		return -1;
	p->read = fds[0];
	p->write = fds[1];
	return 0;
}

static int
make_pipes(struct start *s)
{
	struct pipe *all[] = { &s->to_local, &s->from_local, &s->to_remote, &s->from_remote,
		&s->to_clean, &s->from_clean, &s->to_todo, &s->from_todo, &s->to_clean2,
		&s->from_clean2 };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (make_pipe(all[i]) == -1)
			return -1;
	return 0;
}

/* Starts argv[0] with these descriptors 0 and 1. */
static int
start(const struct start *s, char *const argv[], uid_t uid, gid_t gid, int in, int out)
{
	const struct proc_cred cred = { uid, gid };
	const struct proc_spawn spawn = {
		.argv = argv, .search = true, .cred = &cred,
		.fds = { { 0, in }, { 1, out }, { 2, s->null } }, .nfds = 3
	};

	return proc_spawn(&spawn, NULL) == -1 ? -1 : 0;
}

static int
start_logger(struct start *s, char *const argv[])
{
	struct pipe log;

	if (make_pipe(&log) == -1 ||
	    start(s, argv, s->log_uid, s->nofiles_gid, log.read, s->log_fd) == -1)
		return -1;
	(void)close(log.read);
	s->log_fd = log.write;
	return 0;
}

static int
start_todo(const struct start *s)
{
	char name[] = "qmail-todo";
	char *const argv[] = { name, NULL };
	const struct proc_cred cred = { s->send_uid, s->qmail_gid };
	const struct proc_spawn spawn = {
		.argv = argv, .search = true, .cred = &cred,
		.fds = { { 0, s->to_todo.read }, { 1, s->from_todo.write },
			{ 2, s->to_clean2.write }, { 3, s->from_clean2.read } },
		.nfds = 4
	};

	return proc_spawn(&spawn, NULL) == -1 ? -1 : 0;
}

static int
start_all(struct start *s, char *delivery, char *const logger[])
{
	char lspawn[] = "qmail-lspawn", rspawn[] = "qmail-rspawn", clean[] = "qmail-clean";
	char *const lspawn_argv[] = { lspawn, delivery, NULL };
	char *const rspawn_argv[] = { rspawn, NULL };
	char *const clean_argv[] = { clean, NULL };

	if (logger[0] && start_logger(s, logger) == -1)
		return -1;
	if (start(s, lspawn_argv, 0, s->qmail_gid, s->to_local.read, s->from_local.write) == -1 ||
	    start(s, rspawn_argv, s->remote_uid, s->qmail_gid, s->to_remote.read,
	    s->from_remote.write) == -1 ||
	    start(s, clean_argv, s->queue_uid, s->qmail_gid, s->to_clean.read,
	    s->from_clean.write) == -1 || start_todo(s) == -1)
		return -1;
	return start(s, clean_argv, s->queue_uid, s->qmail_gid, s->to_clean2.read,
	    s->from_clean2.write);
}

/* Only what is put in place here stays open: all pipes are close-on-exec. */
static int
become_send(const struct start *s)
{
	const int fds[SEND_FDS] = { s->log_fd, s->to_local.write, s->from_local.read,
		s->to_remote.write, s->from_remote.read, s->to_clean.write, s->from_clean.read,
		s->to_todo.write, s->from_todo.read };
	char name[] = "qmail-send";
	char *const argv[] = { name, NULL };

	if (sys_become(s->send_uid, s->qmail_gid) == -1)
		return -1;
	for (int i = 0; i < SEND_FDS; i++)
		if (proc_copy_fd(i, fds[i]) == -1)
			return -1;
	proc_exec(name, true, argv, environ);
	return -1;
}

/* Our own descriptors get numbers from SEND_FDS up, so that they are not in the way later. */
static int
prepare_fds(struct start *s)
{
	sys_close_from(3);
	if (io_open_standard() == -1)
		return -1;
	for (int i = 2; i < SEND_FDS; i++) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (fd == -1 || (fd != i && dup2(fd, i) == -1))
			return -1;
		if (fd != i)
			(void)close(fd);
	}
	s->null = fcntl(2, F_DUPFD_CLOEXEC, SEND_FDS);
	s->log_fd = fcntl(1, F_DUPFD_CLOEXEC, SEND_FDS);
	return s->null == -1 || s->log_fd == -1 ? -1 : 0;
}

int
main(int argc, char *argv[])
{
	struct start s = { .null = -1 };
	char standard[] = DEFAULT_DELIVERY;
	char *none[] = { NULL };

	if (chdir("/") == -1 || prepare_fds(&s) == -1)
		return CODE_TEMP;
	(void)umask(077);
	sig_reset_all();	/* all that we start finds it so */
	if (find_ids(&s) == -1 || sys_setgroups(1, &s.qmail_gid) == -1 || setgid(s.qmail_gid) == -1)
		return CODE_TEMP;
	if (make_pipes(&s) == 0 &&
	    start_all(&s, argc > 1 ? argv[1] : standard, argc > 2 ? argv + 2 : none) == 0)
		(void)become_send(&s);
	return CODE_TEMP;
}
