/* proc: descriptors in every order, what a child inherits, each step that can fail. */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "lib/deadline.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "scratch.h"
#include "tap.h"

static char sh[] = "/bin/sh", dash_c[] = "-c";

/* Exit code of `sh -c script` with s's settings; -1: not started; -2: killed. */
static int
run(struct proc_spawn *s, const char *script)
{
	char text[256];
	char *argv[] = { sh, dash_c, text, NULL };
	int status, code;
	pid_t pid;

	snprintf(text, sizeof text, "%s", script);
	s->argv = argv;
	pid = proc_spawn(s, NULL);
	s->argv = NULL;
	if (pid == -1 || proc_wait(pid, &status) == -1)
		return -1;
	code = proc_code(status);
	return code == -1 ? -2 : code;
}

static void
test_codes(struct tap *t)
{
	struct proc_spawn s = { .nfds = 0 };
	int status = 0;

	is_num(t, run(&s, "exit 0"), 0, "exit 0");
	is_num(t, run(&s, "exit 255"), 255, "exit 255");
	is_num(t, run(&s, "kill -9 $$"), -2, "killed");
	ok(t, proc_reap(&status) == -1 && errno == ECHILD, "no child left");
	ok(t, proc_wait(getpid(), &status) == -1 && errno == ECHILD, "not a child");
}

/* As a daemon may have started us. */
static void
test_ignored(struct tap *t)
{
	struct proc_spawn s = { .nfds = 0 };
	int status;
	pid_t pid;

	(void)signal(SIGCHLD, SIG_IGN);
	is_num(t, run(&s, "exit 7"), 7, "SIGCHLD was ignored: the exit code");
	(void)signal(SIGCHLD, SIG_IGN);
	pid = proc_fork();
	if (pid == 0)
		_exit(7);
	ok(t, pid > 0 && proc_wait(pid, &status) == 0 && proc_code(status) == 7,
	    "  that of a child that goes on in our code");
}

static void
test_reap(struct tap *t)
{
	static char quit[] = "exit 7";
	char *argv[] = { sh, dash_c, quit, NULL };
	struct proc_spawn s = { .argv = argv };
	int status = 0, hold[2];
	siginfo_t info;
	pid_t pid, waiting;

	if (sys_pipe(hold) == -1)
		abort();
	waiting = proc_fork();
	if (waiting == 0) {
		char c;

		(void)close(hold[1]);
		_exit(io_read(hold[0], &c, 1) == 0 ? 3 : 4);
	}
	ok(t, proc_reap(&status) == 0, "a child that goes on");
	pid = proc_spawn(&s, NULL);
	ok(t, pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0 &&
	    proc_reap(&status) == pid && proc_code(status) == 7, "a child that has ended");
	(void)close(hold[1]);
	ok(t, proc_wait(waiting, &status) == 0 && proc_code(status) == 3, "waited for");
	(void)close(hold[0]);
}

/* Files a..e, whose descriptors are put in the child's places in all kinds of ways. */
static void
test_descriptors(struct tap *t)
{
	int fd[5];

	for (int i = 0; i < 5; i++) {
		char name[2] = { (char)('a' + i), '\0' };

		fd[i] = scratch_file(name, name);
		if (fcntl(fd[i], F_SETFD, FD_CLOEXEC) == -1)
			abort();
	}
	{
		struct proc_spawn s = { .fds = { { 0, fd[0] }, { 7, fd[1] } }, .nfds = 2 };

		is_num(t, run(&s, "read x; read y <&7; test $x$y = ab"), 0, "two");
	}
	for (int i = 0; i < 5; i++)
		(void)lseek(fd[i], 0, SEEK_SET);
	{
		/* each gets the number of the next one: a ring */
		struct proc_spawn s = { .fds = { { fd[1], fd[0] }, { fd[2], fd[1] },
			{ fd[0], fd[2] } }, .nfds = 3 };
		char script[128];

		snprintf(script, sizeof script,
		    "read x <&%d; read y <&%d; read z <&%d; test $x$y$z = abc", fd[1], fd[2],
		    fd[0]);
		is_num(t, run(&s, script), 0, "ring");
	}
	for (int i = 0; i < 5; i++)
		(void)lseek(fd[i], 0, SEEK_SET);
	{
		struct proc_spawn s = { .fds = { { fd[3], fd[3] }, { 4, fd[4] }, { 5, fd[4] } },
			.nfds = 3 };
		char script[128];

		snprintf(script, sizeof script, "read x <&%d; read y <&5; test $x$y = de", fd[3]);
		is_num(t, run(&s, script), 0, "own number, one twice");
	}
	{
		struct proc_spawn s = { .fds = { { 1, -1 }, { 0, -1 } }, .nfds = 2 };

		is_num(t, run(&s, "{ echo x; } 2>/dev/null || exit 1"), 1, "closed");
	}
	{
		struct proc_spawn s = { .nfds = 0 };
		char script[64];

		snprintf(script, sizeof script, "test ! -e /proc/$$/fd/%d", fd[0]);
		is_num(t, run(&s, script), 0, "what is not listed stays here");
		ok(t, io_read(fd[2], script, 1) == 1 && script[0] == 'c', "ours are untouched");
	}
	for (int i = 0; i < 5; i++)
		(void)close(fd[i]);
}

static void
test_inherited(struct tap *t)
{
	char *const env[] = { (char[]){ "X=only" }, NULL };
	struct proc_spawn s = { .envp = env };
	sigset_t user;

	is_num(t, run(&s, "test \"$X\" = only && test -z \"$HOME\""), 0, "environment");
	s = (struct proc_spawn){ .chdir = "sub" };
	if (mkdir("sub", 0700) == -1)
		abort();
	is_num(t, run(&s, "test \"${PWD##*/}\" = sub"), 0, "directory");
	sig_ignore(SIGTERM);
	sigemptyset(&user);
	sigaddset(&user, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &user, NULL);
	s = (struct proc_spawn){ .nfds = 0 };
	is_num(t, run(&s, "kill -TERM $$; exit 0"), -2, "ignored signals are not");
	is_num(t, run(&s, "kill -USR1 $$; exit 0"), -2, "blocked signals are not");
	sig_default(SIGTERM);
	sig_unblock_all();
	s = (struct proc_spawn){ .own_session = true };
	is_num(t, run(&s, "set -- $(cat /proc/$$/stat); test $1 = $6"), 0, "session");
}

static void
test_failures(struct tap *t)
{
	static char name[] = "./absent", bare[] = "absent-program", file[] = "./a", dir[] = "/";
	char *argv[] = { name, NULL };
	struct proc_spawn s = { .argv = argv };
	enum proc_step step = PROC_OK;
	int status;

	ok(t, proc_spawn(&s, &step) == -1 && errno == ENOENT && step == PROC_EXEC, "absent");
	argv[0] = bare;
	s.search = true;
	ok(t, proc_spawn(&s, &step) == -1 && errno == ENOENT && step == PROC_EXEC, "not in PATH");
	s.search = false;
	argv[0] = file;
	ok(t, proc_spawn(&s, &step) == -1 && errno == EACCES && step == PROC_EXEC,
	    "not executable");
	argv[0] = dir;
	ok(t, proc_spawn(&s, &step) == -1 && errno == EACCES && step == PROC_EXEC, "a directory");
	argv[0] = sh;
	s.chdir = "absent";
	ok(t, proc_spawn(&s, &step) == -1 && errno == ENOENT && step == PROC_CHDIR, "no directory");
	s = (struct proc_spawn){ .argv = argv, .fds = { { 0, 999 } }, .nfds = 1 };
	ok(t, proc_spawn(&s, &step) == -1 && errno == EBADF && step == PROC_FDS, "bad descriptor");
	s.nfds = PROC_MAX_FDS + 1;
	ok(t, proc_spawn(&s, &step) == -1 && errno == EINVAL, "too many descriptors");
	ok(t, proc_reap(&status) == -1 && errno == ECHILD, "no child is left");
}

static void
test_search(struct tap *t)
{
	static char name[] = "true";
	char *argv[] = { name, NULL };
	struct proc_spawn s = { .argv = argv, .search = true };
	enum proc_step step = PROC_EXEC;
	int status;
	pid_t pid = proc_spawn(&s, &step);

	ok(t, pid > 0 && step == PROC_OK && proc_wait(pid, &status) == 0 && status == 0,
	    "found in PATH");
	s.search = false;
	ok(t, proc_spawn(&s, NULL) == -1 && errno == ENOENT, "not without the search");
	s.path = sh;
	s.argv = (char *[]){ name, dash_c, (char[]){ "test $0 = true" }, NULL };
	pid = proc_spawn(&s, NULL);
	ok(t, pid > 0 && proc_wait(pid, &status) == 0 && proc_code(status) == 0,
	    "path and argv[0] differ");
}

static void
test_move(struct tap *t)
{
	int fd = scratch_file("m", "x");

	ok(t, proc_copy_fd(60, fd) == 0 && fcntl(60, F_GETFD) == 0, "copied, open across exec");
	ok(t, fcntl(fd, F_GETFD) == FD_CLOEXEC, "the first stays");
	ok(t, proc_copy_fd(fd, fd) == 0 && fcntl(fd, F_GETFD) == 0, "copied to itself");
	ok(t, proc_copy_fd(62, 999) == -1 && proc_copy_fd(999, 999) == -1, "bad descriptor");
	(void)close(fd);
	(void)close(60);
}

/* Needs root: everywhere else it can only fail, and that is what must be told. */
static void
test_credentials(struct tap *t)
{
	const struct proc_cred cred = { 65534, 65534 };
	struct proc_spawn s = { .cred = &cred };

	if (getuid() == 0) {
		is_num(t, run(&s, "test $(id -u) = 65534 && test $(id -G) = 65534"), 0,
		    "credentials");
	} else {
		enum proc_step step = PROC_OK;

		s.argv = (char *[]){ sh, NULL };
		ok(t, proc_spawn(&s, &step) == -1 && errno == EPERM && step == PROC_CRED,
		    "credentials are refused");
	}
}

static const struct {
	const char *script;
	enum proc_end end;
	int code;		/* 256: not set */
} ends[] = {
	{ "exit 0", PROC_DONE, 0 },
	{ "exit 255", PROC_DONE, 255 },
	{ "kill -9 $$", PROC_KILLED, 256 },
	{ "sleep 1000 & sleep 1000; :", PROC_LATE, 256 },
};

static void
test_finish(struct tap *t)
{
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		char text[64];
		struct proc_spawn s = { .argv = (char *[]){ sh, dash_c, text, NULL },
			.own_session = true };
		int64_t wait_ms = ends[i].end == PROC_LATE ? 200 : 20000;
		int code = 256;
		pid_t pid;

		snprintf(text, sizeof text, "%s", ends[i].script);
		pid = proc_spawn(&s, NULL);
		is_num(t, proc_finish_session(pid, deadline_after(wait_ms), &code), ends[i].end,
		    ends[i].script);
		is_num(t, code, ends[i].code, "its code");
		ok(t, kill(pid, 0) == -1 && errno == ESRCH, "nothing is left of it");
		is_num(t, proc_finish_session(pid, DEADLINE_NONE, &code), PROC_FAILED, "again");
	}
}

/* Stays until it is killed; says on the pipe that it is there. */
static pid_t
start_staying(int say)
{
	pid_t pid = proc_fork();

	if (pid)
		return pid;
	(void)setsid();
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	(void)!io_write(say, "y", 1);
	for (;;)
		(void)pause();
}

/* Holds the other one back from its end, until the pipe is closed. */
static pid_t
start_holding(pid_t other, int say, const int hold[2])
{
	pid_t pid = proc_fork();
	char c;

	if (pid)
		return pid;
	(void)close(hold[1]);
	(void)!io_write(say, ptrace(PTRACE_SEIZE, other, NULL,
	    (void *)PTRACE_O_TRACEEXIT) == 0 ? "y" : "n", 1);
	(void)!io_read(hold[0], &c, 1);
	_exit(0);
}

static bool
is_ready(int fd)
{
	char c = 'n';

	return io_read(fd, &c, 1) == 1 && c == 'y';
}

/* One that was killed and does not come to its end, held by a tracer as by a file server that is
 * gone. */
static void
test_held(struct tap *t)
{
	int said[2], hold[2], status = 0, code = 256;
	pid_t held, holder;

	if (sys_pipe(said) == -1)
		abort();
	held = start_staying(said[1]);
	ok(t, is_ready(said[0]), "it is there");
	if (sys_pipe(hold) == -1)
		abort();
	holder = start_holding(held, said[1], hold);
	ok(t, is_ready(said[0]), "it is held");
	is_num(t, proc_finish_session(held, deadline_after(0), &code), PROC_LATE, "late");
	is_num(t, waitpid(held, &status, WNOHANG), 0, "and not waited for");
	(void)close(hold[1]);
	ok(t, proc_wait(holder, &status) == 0 && proc_code(status) == 0, "let go of");
	ok(t, proc_wait(held, &status) == 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	    "it was killed");
	(void)close(hold[0]);
	(void)close(said[0]);
	(void)close(said[1]);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	test_codes(&t);
	test_ignored(&t);
	test_reap(&t);
	test_descriptors(&t);
	test_inherited(&t);
	test_failures(&t);
	test_search(&t);
	test_move(&t);
	test_credentials(&t);
	test_finish(&t);
	test_held(&t);
	scratch_leave(&s);
	return done(&t);
}
