/* tracer - kills a program, or lets its system calls fail, at a chosen point (x86-64 Linux).
 *
 * Run by root as: tracer PLAN COMMAND [ARG ...]
 * fd 3: events, lines as below.  Exit: as COMMAND's; 128 and the signal of its end; 111 trouble.
 * The command and all its descendants are traced until the last one has ended; only the program of
 * the plan is stopped at its system calls.  A program is known by the last part of /proc/PID/exe;
 * what it forks is called PROGRAM+ until it runs another program.  Set-uid programs change their
 * uid as ever, since the tracer is root.
 *
 * PLAN: a file with one line, read again at each fork and exec, so that it may change meanwhile:
 *	GENERATION PROGRAM INSTANCE ACTION N ARG NUMBER KIND
 * GENERATION: any number; a new one starts counting instances (from 1) anew.  PROGRAM *: every one.
 * N: from 1, among the calls with this NUMBER (-1: all) and KIND.
 *	count			an event `call PROGRAM NUMBER KIND SIZE` for each system call
 *	kill-entry N		SIGKILL before its N-th call, which is not done any more
 *	kill-exit N		SIGKILL after it
 *	fail N ERRNO		the N-th call is not done and gives this error
 *	failing N ERRNO		so do all later ones
 *	short N			the N-th call, a read or write, gets half its length
 *	clock N SECONDS		from the N-th call on, the wall clock is wrong by so much
 * KIND: what the first argument is: f file, d directory, p pipe, s socket, m socket that keeps
 * packets apart, c device, i pipe to itself that is written to, w wall clock, else -; P S M C I if
 * the call does not wait there.
 * SIZE: the third argument; what prctl is about, the command of fcntl, the flags of open.
 *
 * Events: `call` as above; `fired PROGRAM NUMBER` when the action has begun (short, clock: when a
 * result is not what it would have been); `end PROGRAM STATUS`
 * (decimal wait status; -1: it runs another program now) when the planned instance is no more. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer.h"

#define EVENTS_FD 3
#define TROUBLE 111

static const char *const action_names[] = {
	"none", "count", "kill-entry", "kill-exit", "fail", "failing", "short", "clock",
};

struct tracer {
	const char *plan_path;
	struct plan plan;
	long instances;		/* of the plan's program, in this generation */
	struct tracee all[TRACEES_MAX];
	pid_t command;
	int command_status;
};

void
event(const char *format, ...)
{
	char line[160];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (n > 0 && write(EVENTS_FD, line, (size_t)n) == -1)
		return;		/* nobody listens any more */
}

static void
die(const char *what)
{
	fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
	exit(TROUBLE);
}

static struct tracee *
find(struct tracer *t, pid_t pid)
{
	struct tracee *unused = NULL;

	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (t->all[i].pid == pid)
			return &t->all[i];
		if (!t->all[i].pid && !unused)
			unused = &t->all[i];
	}
	if (!unused) {
		errno = ENOSPC;
		die("too many processes");
	}
	*unused = (struct tracee){ .pid = pid };
	return unused;
}

static void
read_plan(struct tracer *t)
{
	char line[256] = "", action[16] = "";
	struct plan p = { .action = NOTHING };
	int fd = open(t->plan_path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || read(fd, line, sizeof line - 1) == -1)
		die(t->plan_path);
	close(fd);
	if (sscanf(line, "%ld %39s %ld %15s %ld %ld %ld %c", &p.generation, p.program, &p.instance,
	    action, &p.n, &p.arg, &p.number, &p.kind) != 8) {
		errno = EINVAL;
		die(t->plan_path);
	}
	for (size_t i = 0; i < sizeof action_names / sizeof *action_names; i++)
		if (!strcmp(action, action_names[i]))
			p.action = (enum action)i;
	if (p.generation != t->plan.generation)
		t->instances = 0;
	t->plan = p;
}

static void
resume(const struct tracee *e, int signo)
{
	/* ESRCH: killed meanwhile; its end will be reported. */
	if (ptrace(e->target ? PTRACE_SYSCALL : PTRACE_CONT, e->pid, NULL, (long)signo) == -1 &&
	    errno != ESRCH)
		die("resume");
}

/* The plan that made it the target is no more: nothing shall be done to it. */
static bool
is_stale(struct tracer *t, const struct tracee *e)
{
	read_plan(t);
	return e->generation != t->plan.generation;
}

static void
lost(struct tracer *t, struct tracee *e, int status)
{
	if (e->target && !is_stale(t, e))
		event("end %s %d\n", e->name, status);
	e->target = false;
}

/* Is it what the plan is about?  For every process that has got a new name. */
static void
identify(struct tracer *t, struct tracee *e)
{
	read_plan(t);
	e->inside = false;
	e->altered = e->shortened = e->told = false;
	e->calls = 0;
	e->generation = t->plan.generation;
	if (t->plan.action == NOTHING)
		return;
	if (!strcmp(t->plan.program, "*"))
		e->target = true;
	else if (!strcmp(t->plan.program, e->name))
		e->target = ++t->instances == t->plan.instance;
}

static void
executed(struct tracer *t, struct tracee *e)
{
	char link[40], path[512];
	const char *base;
	ssize_t n;

	lost(t, e, -1);
	snprintf(link, sizeof link, "/proc/%d/exe", (int)e->pid);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	base = strrchr(path, '/');
	snprintf(e->name, sizeof e->name, "%.38s", base ? base + 1 : path);
	identify(t, e);
	if (e->target) {
		e->inside = true;	/* in execve, which does not count */
		hide_vdso(e->pid);
	}
}

/* The parent tells of a child. */
static void
born(struct tracer *t, const struct tracee *parent, pid_t pid)
{
	struct tracee *e = find(t, pid);
	size_t n = strlen(parent->name);

	snprintf(e->name, sizeof e->name, "%.37s%s", parent->name,
	    n && parent->name[n - 1] == '+' ? "" : "+");
	e->known = true;
	identify(t, e);
	if (e->waiting) {
		e->waiting = false;
		resume(e, 0);
	}
}

static void
at_call(struct tracer *t, struct tracee *e)
{
	static const struct plan nothing = { .action = NOTHING };
	bool stale = is_stale(t, e);

	if (stale && !e->inside)
		e->target = false;
	else		/* what was done to a call that is not over yet comes to its end */
		disturb(stale ? &nothing : &t->plan, e);
}

static void
ended(struct tracer *t, struct tracee *e, int status)
{
	lost(t, e, status);
	if (e->pid == t->command)
		t->command_status = status;
	e->pid = 0;
}

static void
stopped(struct tracer *t, struct tracee *e, int status)
{
	int signo = WSTOPSIG(status), what = status >> 16;
	unsigned long message;

	switch (what) {
	case PTRACE_EVENT_EXEC:
		executed(t, e);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		if (ptrace(PTRACE_GETEVENTMSG, e->pid, NULL, &message) == 0)
			born(t, e, (pid_t)message);
		break;
	case PTRACE_EVENT_STOP:
		if (!e->known) {
			e->waiting = true;
			return;
		}
		if (signo != SIGTRAP) {		/* stopped by a signal: it stays so until SIGCONT */
			(void)ptrace(PTRACE_LISTEN, e->pid, NULL, NULL);
			return;
		}
		break;
	default:
		if (signo != (SIGTRAP | 0x80)) {
			resume(e, signo);
			return;
		}
		at_call(t, e);
	}
	resume(e, 0);
}

static void
start(struct tracer *t, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	struct tracee *e;
	int gate[2];
	char byte;

	if (pipe2(gate, O_CLOEXEC) == -1 || (t->command = fork()) == -1)
		die("start");
	if (t->command == 0) {
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 0)
			execvp(argv[0], argv);
		_exit(TROUBLE);
	}
	if (ptrace(PTRACE_SEIZE, t->command, NULL, options) == -1)
		die("seize");
	e = find(t, t->command);
	e->known = true;
	(void)fcntl(EVENTS_FD, F_SETFD, FD_CLOEXEC);
	close(gate[0]);
	close(gate[1]);
}

int
main(int argc, char **argv)
{
	static struct tracer t = { .plan.generation = -1 };
	int status;
	pid_t pid;

	if (argc < 3 || fcntl(EVENTS_FD, F_SETFD, FD_CLOEXEC) == -1) {
		fprintf(stderr, "usage: tracer PLAN COMMAND [ARG ...] 3>EVENTS\n");
		return TROUBLE;
	}
	t.plan_path = argv[1];
	start(&t, argv + 2);
	while ((pid = waitpid(-1, &status, __WALL)) != -1 || errno == EINTR) {
		if (pid == -1)
			continue;
		if (WIFSTOPPED(status))
			stopped(&t, find(&t, pid), status);
		else
			ended(&t, find(&t, pid), status);
	}
	return WIFEXITED(t.command_status) ? WEXITSTATUS(t.command_status) :
	    128 + WTERMSIG(t.command_status);
}
