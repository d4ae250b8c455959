/* accounts - asks a qmail-getpw that stays, where it can. */
#include "spawn/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/packet.h"
#include "queue/accountproto.h"

static void
leave(struct accounts *a, enum accounts_state state)
{
	if (a->state == ACCOUNTS_STARTED || a->state == ACCOUNTS_READY)
		(void)close(a->fd);
	a->state = state;
	a->until = deadline_after(ACCOUNTS_REST_MS);
}

/* Another file in its place, or the same file with another content? */
static bool
is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev || a->st_ino != b->st_ino ||
	    a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec ||
	    a->st_ctim.tv_sec != b->st_ctim.tv_sec || a->st_ctim.tv_nsec != b->st_ctim.tv_nsec;
}

static void
start(struct accounts *a)
{
	char *argv[] = { a->program, NULL };
	int fds[2], null_fd;
	pid_t pid;

	if (packet_pair(fds) == -1)
		return;
	/* A program that does not know of this must not write into the reports. */
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid = proc_spawn(&(struct proc_spawn){ .argv = argv, .cred = &a->cred,
	    .chdir = QMAIL_HOME, .fds = { { 0, fds[1] }, { 1, null_fd } }, .nfds = 2 }, NULL);
	if (null_fd != -1)
		(void)close(null_fd);
	(void)close(fds[1]);
	if (pid == -1) {
		(void)close(fds[0]);
		return;
	}
	a->fd = fds[0];
	a->state = ACCOUNTS_STARTED;
	a->until = deadline_after(ACCOUNTS_GREETING_MS);
}

/* STARTED: has it greeted? */
static void
look_for_greeting(struct accounts *a)
{
	const struct span greeting = span_str(ACCOUNTPROTO_GREETING);
	char text[sizeof ACCOUNTPROTO_GREETING];
	ssize_t n;

	if (io_wait_readable(a->fd, deadline_now()) == IO_OK) {
		n = io_read(a->fd, text, sizeof text);
		if (n > 0 && span_eq(span_of(text, (size_t)n), greeting))
			a->state = ACCOUNTS_READY;
		else
			leave(a, ACCOUNTS_UNFIT);
	} else if (deadline_poll(a->until) == 0) {
		leave(a, ACCOUNTS_UNFIT);
	}
}

static bool
exchange(const struct accounts *a, const char *local, struct buf *answer, int *code)
{
	size_t length = strlen(local);
	ssize_t n;

	buf_reset(answer);
	answer->max = ACCOUNTPROTO_ANSWER_MAX + 1;
	if (!buf_room(answer, ACCOUNTPROTO_ANSWER_MAX + 1) ||
	    io_write(a->fd, local, length) != (ssize_t)length ||
	    io_wait_readable(a->fd, deadline_after(ACCOUNTS_ANSWER_MS)) != IO_OK)
		return false;
	n = io_read(a->fd, answer->p, ACCOUNTPROTO_ANSWER_MAX + 1);
	if (n <= 0)
		return false;
	*code = (unsigned char)answer->p[0];
	memmove(answer->p, answer->p + 1, (size_t)n - 1);
	answer->n = (size_t)n - 1;
	return true;
}

bool
accounts_ask(struct accounts *a, const char *local, struct buf *answer, int *code)
{
	struct stat now;

	if (strlen(local) > ACCOUNTPROTO_LOCAL_MAX || stat(a->program, &now) == -1)
		return false;
	if (a->state != ACCOUNTS_NONE && is_changed(&a->file, &now)) {
		leave(a, ACCOUNTS_NONE);
		a->until = deadline_now();
	}
	if (a->state == ACCOUNTS_NONE && deadline_poll(a->until) == 0) {
		a->file = now;
		start(a);
	}
	if (a->state == ACCOUNTS_STARTED)
		look_for_greeting(a);
	if (a->state != ACCOUNTS_READY)
		return false;
	if (exchange(a, local, answer, code))
		return true;
	leave(a, ACCOUNTS_NONE);
	return false;
}
