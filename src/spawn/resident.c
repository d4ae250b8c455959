/* resident - a program that stays and answers. */
#include "spawn/resident.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/packet.h"

static void
let_go(struct resident *r, enum resident_state state)
{
	if (r->state == RESIDENT_STARTED || r->state == RESIDENT_READY)
		(void)close(r->fd);
	r->state = state;
}

/* The longest is long enough for a program that will never greet to cost nothing. */
static void
rest(struct resident *r)
{
	r->rest_ms = r->rest_ms ? 2 * r->rest_ms : RESIDENT_REST_MS;
	if (r->rest_ms > RESIDENT_REST_MAX_MS)
		r->rest_ms = RESIDENT_REST_MAX_MS;
	r->until = deadline_after(r->rest_ms);
}

void
resident_answered(struct resident *r)
{
	r->rest_ms = 0;
}

void
resident_end(struct resident *r)
{
	let_go(r, RESIDENT_NONE);
	r->rest_ms = 0;
	r->until = deadline_now();
}

void
resident_leave(struct resident *r)
{
	let_go(r, RESIDENT_NONE);
	rest(r);
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
	char *argv[] = { r->program, r->argument, NULL };
	int fds[2], null_fd;

	if (packet_pair(fds) == -1) {
		rest(r);
		return;
	}
	/* A program that does not know of this must not write into the reports. */
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	r->pid = proc_spawn(&(struct proc_spawn){ .argv = argv, .cred = r->cred,
	    .chdir = r->chdir, .fds = { { 0, fds[1] }, { 1, null_fd } }, .nfds = 2 }, NULL);
	if (null_fd != -1)
		(void)close(null_fd);
	(void)close(fds[1]);
	if (r->pid == -1) {
		(void)close(fds[0]);
		rest(r);
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
		else if (n > 0)
			let_go(r, RESIDENT_UNFIT);
		else
			resident_leave(r);
	} else if (deadline_poll(r->until) == 0) {
		let_go(r, RESIDENT_UNFIT);
	}
}

bool
resident_ready(struct resident *r)
{
	struct filemark now;

	filemark_take(&now, r->program);
	if (!now.exists)
		return false;
	if (!filemark_same(&r->file, &now))
		resident_end(r);
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
