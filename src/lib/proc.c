/* proc - starting programs with exactly the descriptors they shall have, and waiting for them. */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/sig.h"
#include "lib/sys.h"

#define LOOK_MS 20

extern char **environ;

/* Shared with the child until it execs: it leaves the step and errno of a failure here. */
struct start {
	const struct proc_spawn *spawn;
	enum proc_step failed;
	int error;
};

/* Is one of our ends a number that another end shall have? */
static bool
are_in_the_way(const struct proc_fd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (fds[i].ours == fds[j].child)
				return true;
	return false;
}

static int
put_fds(const struct proc_fd *fds, const int *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (from[i] == -1)
			(void)close(fds[i].child);
		else if (dup2(from[i], fds[i].child) == -1)
			return -1;
	}
	return 0;
}

/* Puts each in place; before that, if need be, moves our ends out of the way. */
static int
arrange_fds(const struct proc_fd *fds, size_t n)
{
	const bool move = are_in_the_way(fds, n);
	int held[PROC_MAX_FDS];
	int above = 3;

	for (size_t i = 0; i < n; i++)
		if (fds[i].child >= above)
			above = fds[i].child + 1;
	for (size_t i = 0; i < n; i++) {
		held[i] = fds[i].ours;
		if (move && held[i] != -1 &&
		    (held[i] = fcntl(held[i], F_DUPFD_CLOEXEC, above)) == -1)
			return -1;
	}
	return put_fds(fds, held, n);
}

static void
try_exec(const struct proc_spawn *s)
{
	const char *path = s->path ? s->path : s->argv[0];
	char *const *envp = s->envp ? s->envp : environ;

	proc_exec(path, s->search, s->argv, envp);
}

static int
child(void *arg)
{
	struct start *start = arg;
	const struct proc_spawn *s = start->spawn;

	if (s->light)
		sig_reset_ours();
	else
		sig_reset_all();
	if (s->own_session)
		(void)setsid();
	if (arrange_fds(s->fds, s->nfds) == -1) {
		start->failed = PROC_FDS;
	} else if (s->chdir && chdir(s->chdir) == -1) {
		start->failed = PROC_CHDIR;
	} else if (s->cred && sys_become(s->cred->uid, s->cred->gid) == -1) {
		start->failed = PROC_CRED;
	} else {
		try_exec(s);
		start->failed = PROC_EXEC;
	}
	start->error = errno;
	return 127;		/* its exit code; unlike _exit, no news to a sanitizer */
}

pid_t
proc_spawn(const struct proc_spawn *s, enum proc_step *step)
{
	struct start start = { .spawn = s, .failed = PROC_OK };
	int status;
	pid_t pid;

	if (s->nfds > PROC_MAX_FDS) {
		errno = EINVAL;
		return -1;
	}
	sig_heed(SIGCHLD);
	pid = sys_vfork_run(child, &start);
	if (step)
		*step = pid == -1 ? PROC_FORK : start.failed;
	if (pid == -1 || start.failed == PROC_OK)
		return pid;
	(void)!proc_wait(pid, &status);
	errno = start.error;
	return -1;
}

pid_t
proc_fork(void)
{
	pid_t pid;

	sig_heed(SIGCHLD);
	pid = fork();
	if (pid == 0)
		sig_reset_all();
	return pid;
}

int
proc_wait(pid_t pid, int *status)
{
	pid_t r;

	do
		r = waitpid(pid, status, 0);
	while (r == -1 && errno == EINTR);
	return r == pid ? 0 : -1;
}

/* Without a descriptor that tells of its end it is looked for now and then. */
static int
wait_by_looking(pid_t pid, int64_t deadline, int *status)
{
	pid_t r;

	while ((r = waitpid(pid, status, WNOHANG)) == 0) {
		const struct timespec pause = { 0, LOOK_MS * 1000 * 1000 };

		if (deadline_now() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)nanosleep(&pause, NULL);
	}
	return r == pid ? 0 : -1;
}

int
proc_wait_until(pid_t pid, int64_t deadline, int *status)
{
	enum io_status ready;
	pid_t r;
	int fd;

	if (deadline == DEADLINE_NONE)
		return proc_wait(pid, status);
	if ((r = waitpid(pid, status, WNOHANG)) != 0)		/* often it has ended already */
		return r == pid ? 0 : -1;
	if ((fd = sys_pidfd(pid)) == -1)
		return wait_by_looking(pid, deadline, status);
	ready = io_wait_readable(fd, deadline);
	(void)close(fd);
	if (ready == IO_OK)
		return proc_wait(pid, status);
	if (ready == IO_TIMEOUT)
		errno = ETIMEDOUT;
	return -1;
}

static void
end_session(pid_t pid)
{
	int status;

	if (kill(-pid, SIGKILL) == 0 && kill(pid, SIGKILL) == 0)
		(void)!proc_wait_until(pid, deadline_after(PROC_KILL_WAIT_MS), &status);
}

enum proc_end
proc_finish_session(pid_t pid, int64_t deadline, int *code)
{
	int status;

	if (proc_wait_until(pid, deadline, &status) == -1) {
		int error = errno;

		end_session(pid);
		errno = error;
		return error == ETIMEDOUT ? PROC_LATE : PROC_FAILED;
	}
	if (proc_code(status) == -1)
		return PROC_KILLED;
	*code = proc_code(status);
	return PROC_DONE;
}

pid_t
proc_reap(int *status)
{
	pid_t r;

	do
		r = waitpid(-1, status, WNOHANG);
	while (r == -1 && errno == EINTR);
	return r;
}

int
proc_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
proc_copy_fd(int to, int from)
{
	int flags;

	if (to != from)
		return dup2(from, to) == -1 ? -1 : 0;
	if ((flags = fcntl(to, F_GETFD)) == -1)
		return -1;
	return fcntl(to, F_SETFD, flags & ~FD_CLOEXEC) == -1 ? -1 : 0;
}

void
proc_exec(const char *path, bool search, char *const argv[], char *const envp[])
{
	if (search)
		sys_execvpe(path, argv, envp);
	else
		(void)execve(path, argv, envp);
}
