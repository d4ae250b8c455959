/* runner - a program of the administrator's that is asked about one command of the dialogue. */
#include "smtp/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sys.h"

#define STEP 1024

/* What is there; false at the end. */
static bool
take(int fd, struct buf *text)
{
	char step[STEP];
	ssize_t r;

	while ((r = io_read(fd, step, sizeof step)) > 0) {
		size_t cap = text->max ? text->max : BUF_MAX_DEFAULT, room = cap - text->n;

		buf_add(text, step, (size_t)r < room ? (size_t)r : room);
	}
	return r == -1 && errno == EAGAIN;
}

/* Until it has ended.  false: it has not. */
static bool
listen_to(pid_t pid, int fd, int64_t deadline, struct buf *text)
{
	struct pollfd p[2] = { { .fd = sys_pidfd(pid), .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	bool ended = false;

	/* Without a pidfd the end of its answer has to do. */
	while (!ended && (p[0].fd != -1 || p[1].fd != -1)) {
		int r = poll(p, 2, deadline_poll(deadline));

		if (r == 0 && deadline_poll(deadline) == 0)
			break;
		if (r <= 0)
			continue;
		if (p[1].fd != -1 && p[1].revents && !take(fd, text))
			p[1].fd = -1;
		ended = p[0].fd != -1 && p[0].revents != 0;
	}
	if (p[0].fd == -1)
		return p[1].fd == -1;
	(void)close(p[0].fd);
	if (ended && p[1].fd != -1)
		(void)take(fd, text);
	return ended;
}

/* The log; nothing where it is the client. */
static int
log_fd(int null)
{
	return io_same_file(2, 0) || io_same_file(2, 1) ? null : 2;
}

/* What has not been heard to its end counts as late, even if it ends right now. */
static enum runner_status
finish(pid_t pid, int fd, int64_t deadline, struct buf *text, int *code)
{
	bool heard = io_nonblock(fd, true) == 0 && listen_to(pid, fd, deadline, text);

	switch (proc_finish_session(pid, heard ? deadline : deadline_now(), code)) {
	case PROC_DONE:
		return heard ? RUNNER_DONE : RUNNER_SLOW;
	case PROC_KILLED:
		return heard ? RUNNER_CRASHED : RUNNER_SLOW;
	case PROC_LATE:
		return RUNNER_SLOW;
	default:
		return RUNNER_NO_WAIT;
	}
}

enum runner_status
runner_run(char *const argv[], int out_fd, int64_t wait_ms, struct buf *text, int *code)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pipe[2];
	int64_t deadline = deadline_after(wait_ms);
	struct proc_spawn spawn = { .argv = argv, .own_session = true, .nfds = 3 };
	enum proc_step step = PROC_OK;
	enum runner_status status;
	pid_t pid;

	buf_reset(text);
	if (null == -1 || sys_pipe(pipe) == -1) {
		if (null != -1)
			(void)close(null);
		return RUNNER_NO_PIPE;
	}
	spawn.fds[0] = (struct proc_fd){ 0, null };
	spawn.fds[1] = (struct proc_fd){ 1, log_fd(null) };
	spawn.fds[2] = (struct proc_fd){ 2, log_fd(null) };
	spawn.fds[out_fd == 1 ? 1 : spawn.nfds++] = (struct proc_fd){ out_fd, pipe[1] };
	pid = proc_spawn(&spawn, &step);
	(void)close(pipe[1]);
	(void)close(null);
	status = step == PROC_EXEC ? RUNNER_NO_EXEC : RUNNER_NO_FORK;
	if (pid != -1)
		status = finish(pid, pipe[0], deadline, text, code);
	(void)close(pipe[0]);
	return status;
}
