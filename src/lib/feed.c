/* feed - running a program on input that we make. */
#include "lib/feed.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sys.h"

#define COPY_SIZE 4096

/* The program may stop reading when it likes: that is no failure. */
static enum feed_status
fill(int to, struct span head, int from)
{
	char chunk[COPY_SIZE], piece[COPY_SIZE];
	enum io_status status = IO_OK;
	struct io_out out;
	struct io_in in;

	io_in_init(&in, from, chunk, sizeof chunk);
	io_out_init(&out, to, piece, sizeof piece);
	io_putspan(&out, head);
	while (out.status == IO_OK && (status = io_fill(&in)) == IO_OK) {
		io_putspan(&out, io_peek(&in));
		io_skip(&in, io_peek(&in).n);
	}
	if (status == IO_ERROR)
		return FEED_READ;
	return io_flush(&out) == 0 || errno == EPIPE ? FEED_OK : FEED_WRITE;
}

/* What it came to, when `filled` is how the input was made. */
static enum feed_status
finish(pid_t pid, enum feed_status filled, int *code)
{
	int status, error = errno;

	if (proc_wait(pid, &status) == -1)
		return FEED_WAIT;
	errno = error;
	if (filled != FEED_OK)
		return filled;
	*code = proc_code(status);
	return *code == -1 ? FEED_CRASH : FEED_OK;
}

enum feed_status
feed_run(char *const argv[], struct span head, int from, int *code)
{
	enum proc_step step = PROC_FORK;
	enum feed_status filled;
	int ends[2], error;
	pid_t pid;

	if (sys_pipe(ends) == -1)
		return FEED_PIPE;
	pid = proc_spawn(&(struct proc_spawn){ .argv = argv, .search = true,
	    .fds = { { 0, ends[0] } }, .nfds = 1 }, &step);
	error = errno;
	(void)close(ends[0]);
	errno = error;
	filled = pid == -1 ? FEED_OK : fill(ends[1], head, from);
	error = errno;
	if (filled != FEED_OK)		/* or it would take what came for all */
		(void)kill(pid, SIGKILL);
	(void)close(ends[1]);
	errno = error;
	if (pid == -1)
		return step == PROC_FORK ? FEED_FORK : FEED_EXEC;
	return finish(pid, filled, code);
}
