/* rig_proc - in place of lib/proc.c: programs that read what is on their descriptor 3 and end. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/proc.h"
#include "rig.h"

#define PID 4711
#define INPUT 3

static struct {
	int code;
	size_t count;
	int input;
	struct buf found;
} play;

void
rig_proc_reset(int code)
{
	play.code = code;
	play.count = 0;
	play.input = -1;
	buf_reset(&play.found);
}

size_t
rig_proc_count(void)
{
	return play.count;
}

const struct buf *
rig_proc_found(void)
{
	return &play.found;
}

pid_t
proc_spawn(const struct proc_spawn *s, enum proc_step *step)
{
	(void)step;
	for (size_t i = 0; i < s->nfds; i++)
		if (s->fds[i].child == INPUT)
			play.input = dup(s->fds[i].ours);
	play.count++;
	return PID;
}

int
proc_wait(pid_t pid, int *status)
{
	promise(pid == PID);
	buf_reset(&play.found);
	if (play.input != -1) {
		promise(io_read_all(play.input, &play.found) == IO_OK);
		(void)close(play.input);
	}
	play.input = -1;
	*status = play.code;
	return 0;
}

int
proc_wait_until(pid_t pid, int64_t deadline, int *status)
{
	(void)deadline;
	return proc_wait(pid, status);
}

enum proc_end
proc_finish_session(pid_t pid, int64_t deadline, int *code)
{
	int status;

	if (proc_wait_until(pid, deadline, &status) == -1)
		return PROC_FAILED;
	if (proc_code(status) == -1)
		return PROC_KILLED;
	*code = proc_code(status);
	return PROC_DONE;
}

int
proc_code(int status)
{
	return status;
}

pid_t
proc_fork(void)
{
	errno = EAGAIN;
	return -1;
}

pid_t
proc_reap(int *status)
{
	(void)status;
	errno = ECHILD;
	return -1;
}

int
proc_copy_fd(int to, int from)
{
	(void)to;
	(void)from;
	return 0;
}

void
proc_exec(const char *path, bool search, char *const argv[], char *const envp[])
{
	(void)path;
	(void)search;
	(void)argv;
	(void)envp;
	errno = ENOENT;
}
