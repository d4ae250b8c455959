/* resident - a program that stays and answers. */
#include "spawn/resident.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/packet.h"

static void
let_go(struct resident *r, enum resident_state state, int64_t ms)
{
	if (r->state == RESIDENT_STARTED || r->state == RESIDENT_READY)
		(void)close(r->fd);
	r->state = state;
	r->until = deadline_after(ms);
}

void
resident_leave(struct resident *r, int64_t ms)
{
	let_go(r, RESIDENT_NONE, ms);
}

/* Another file in its place, or the same file with another content? */
static bool
is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev || a->st_ino != b->st_ino ||
	    a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec ||
	    a->st_ctim.tv_sec != b->st_ctim.tv_sec || a->st_ctim.tv_nsec != b->st_ctim.tv_nsec;
}

/* What such a file does without arguments nobody knows. */
static bool
is_script(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char first[2];
	bool script;

	if (fd == -1)
		return false;
	script = io_read(fd, first, sizeof first) == sizeof first && first[0] == '#' &&
	    first[1] == '!';
	(void)close(fd);
	return script;
}

static void
start(struct resident *r)
{
	char *argv[] = { r->program, NULL };
	int fds[2], null_fd;

	r->until = deadline_after(RESIDENT_REST_MS);
	if (packet_pair(fds) == -1)
		return;
	/* A program that does not know of this must not write into the reports. */
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	r->pid = proc_spawn(&(struct proc_spawn){ .argv = argv, .cred = r->cred,
	    .chdir = r->chdir, .fds = { { 0, fds[1] }, { 1, null_fd } }, .nfds = 2 }, NULL);
	if (null_fd != -1)
		(void)close(null_fd);
	(void)close(fds[1]);
	if (r->pid == -1) {
		(void)close(fds[0]);
		return;
	}
	r->fd = fds[0];
	r->state = RESIDENT_STARTED;
	r->until = deadline_after(RESIDENT_GREETING_MS);
}

/* STARTED: has it greeted? */
static void
look_for_greeting(struct resident *r)
{
	char text[PACKET_GREETING_MAX];
	ssize_t n;

	if (io_wait_readable(r->fd, deadline_now()) == IO_OK) {
		n = io_read(r->fd, text, sizeof text);
		if (n > 0 && packet_is_greeting(span_of(text, (size_t)n), r->greeting, &r->file))
			r->state = RESIDENT_READY;
		else
			let_go(r, RESIDENT_UNFIT, 0);
	} else if (deadline_poll(r->until) == 0) {
		let_go(r, RESIDENT_UNFIT, 0);
	}
}

bool
resident_ready(struct resident *r)
{
	struct stat now;

	if (stat(r->program, &now) == -1)
		return false;
	if (r->state != RESIDENT_NONE && is_changed(&r->file, &now))
		resident_leave(r, 0);
	if (r->state == RESIDENT_NONE && deadline_poll(r->until) == 0) {
		r->file = now;
		if (is_script(r->program))
			r->state = RESIDENT_UNFIT;
		else
			start(r);
	}
	if (r->state == RESIDENT_STARTED)
		look_for_greeting(r);
	return r->state == RESIDENT_READY;
}
