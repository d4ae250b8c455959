/* proc - starting programs with exactly the descriptors they shall have, and waiting for them.
 * Uses a memory-sharing child, so the cost does not grow with ours, and an exec that fails is
 * known at once with its errno.  How a child ended is known even if we were started with SIGCHLD
 * ignored, which would have the kernel forget it: the first start ends that. */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"

#define PROC_MAX_FDS 12
#define PROC_KILL_WAIT_MS 1000	/* for the end of what was killed */

struct proc_fd {
	int child;		/* number in the child */
	int ours;		/* our descriptor; -1: closed in the child */
};

struct proc_cred {
	uid_t uid;
	gid_t gid;		/* also the only supplementary group */
};

struct proc_spawn {
	const char *path;	/* NULL: argv[0] */
	bool search;		/* look path up in PATH if it holds no slash */
	char *const *argv;
	char *const *envp;	/* NULL: our environment */
	const char *chdir;	/* NULL: stay */
	struct proc_fd fds[PROC_MAX_FDS];	/* may overlap in any way */
	size_t nfds;
	const struct proc_cred *cred;	/* NULL: stay who we are */
	bool own_session;	/* setsid(2) in the child */
	bool light;		/* signals that we were started with ignored stay so: cheaper, for
				 * programs of the suite or where there are none */
};

enum proc_step { PROC_OK, PROC_FORK, PROC_FDS, PROC_CHDIR, PROC_CRED, PROC_EXEC };

/* Starts it: signal mask empty, every disposition default, the listed descriptors open; others
 * are closed by being close-on-exec (descriptors we inherited without that flag pass through).
 * Returns the pid, or -1 with errno and *step (if not NULL) telling what failed; then no process
 * is left. */
MUST_CHECK pid_t proc_spawn(const struct proc_spawn *s, enum proc_step *step);

/* fork(2) for a child that goes on in our code; in the child signals are reset. */
MUST_CHECK pid_t proc_fork(void);

/* Waits for this pid, restarted after EINTR.  -1 with errno. */
MUST_CHECK int proc_wait(pid_t pid, int *status);
/* The same until the deadline; then -1 with ETIMEDOUT. */
MUST_CHECK int proc_wait_until(pid_t pid, int64_t deadline, int *status);

enum proc_end {
	PROC_DONE,		/* it exited; *code: 0..255 */
	PROC_KILLED,		/* by a signal */
	PROC_LATE,		/* it was still running at the deadline */
	PROC_FAILED		/* it cannot be waited for; errno */
};

/* Waits until the deadline for a process that was started with own_session.  If it does not come to
 * its end, SIGKILL for it and for what it has started in its process group; then at most another
 * PROC_KILL_WAIT_MS, as the kernel may not let go of it (a file server that is gone), and nothing
 * if it has become another user's: it may still be there.  *code is set for PROC_DONE only. */
MUST_CHECK enum proc_end proc_finish_session(pid_t pid, int64_t deadline, int *code);
/* waitpid(-1, WNOHANG): pid of a finished child, 0 if none has, -1 with errno (ECHILD). */
pid_t proc_reap(int *status);
/* Exit code 0..255, or -1 if it was killed by a signal. */
int proc_code(int status);

/* Copies a descriptor to an exact number, open across exec.  -1 with errno. */
MUST_CHECK int proc_copy_fd(int to, int from);
/* Replaces us.  Signals are left as they are.  Returns only on failure, with errno. */
void proc_exec(const char *path, bool search, char *const argv[], char *const envp[]);

#endif
