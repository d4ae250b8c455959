/* checker - running a password checker. */
#include "lib/checker.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sys.h"

#define CHECKER_FD 3
#define FEED_SIZE ((size_t)16384)

static void
add_field(struct buf *text, struct span field)
{
	buf_addspan(text, field);
	buf_addc(text, '\0');
}

/* All at once: growing would leave copies of a password behind. */
static void
write_down(struct buf *text, const struct checker_login *l)
{
	(void)buf_room(text, l->user.n + l->secret.n + l->third.n + 3);
	add_field(text, l->user);
	add_field(text, l->secret);
	add_field(text, l->third);
}

static void
add_fd(struct proc_spawn *s, int child, int ours)
{
	s->fds[s->nfds++] = (struct proc_fd){ child, ours };
}

/* Away from the client: what the checker says belongs into the log. */
static void
set_apart(struct proc_spawn *s, int null)
{
	bool log = !io_same_file(2, 0) && !io_same_file(2, 1);

	s->own_session = true;
	add_fd(s, 0, null);
	add_fd(s, 1, log ? 2 : null);
	if (!log)
		add_fd(s, 2, null);
}

static pid_t
spawn(const struct checker *c, int input)
{
	struct proc_spawn s = { .argv = c->argv, .search = true };
	int null = -1;
	pid_t pid;

	add_fd(&s, CHECKER_FD, input);
	if (c->decides) {
		if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
			return -1;
		set_apart(&s, null);
	}
	pid = proc_spawn(&s, NULL);
	if (null != -1)
		(void)close(null);
	return pid;
}

static void
close_pipe(struct checker *c)
{
	if (c->pipe != -1)
		(void)close(c->pipe);
	c->pipe = -1;
}

/* The login fits into any pipe, or, where we do not keep the other end, waits for a reader or finds
 * that there is none.  A checker that does not read it all is its own affair. */
static enum checker_verdict
start_with(struct checker *c, const struct buf *text)
{
	enum checker_verdict verdict = CHECKER_YES;
	int fds[2];

	if (!buf_ok(text) || sys_pipe(fds) == -1)
		return CHECKER_NO_PIPE;
	c->pipe = fds[0];
	if ((c->pid = spawn(c, c->pipe)) == -1)
		verdict = CHECKER_NO_START;
	if (verdict != CHECKER_YES || !c->decides)
		close_pipe(c);
	if (verdict == CHECKER_YES)
		(void)!io_write_all(fds[1], text->p, text->n);
	(void)close(fds[1]);
	return verdict;
}

enum checker_verdict
checker_start(struct checker *c, const struct checker_login *l)
{
	struct buf text = BUF_CAP(FEED_SIZE);
	enum checker_verdict verdict;

	c->pid = c->pipe = -1;
	write_down(&text, l);
	c->given = text.n;
	verdict = start_with(c, &text);
	buf_wipe(&text);
	return verdict;
}

/* Who leaves all of it in the pipe, as true(1) does, would say yes to everybody.  Some stop reading
 * before the third field, though. */
static bool
has_not_read(const struct checker *c)
{
	char text[FEED_SIZE];
	size_t left = 0;
	ssize_t n;

	if (c->pipe == -1)
		return false;
	while ((n = io_read(c->pipe, text, sizeof text)) > 0)
		left += (size_t)n;
	sys_wipe(text, sizeof text);
	return left >= c->given;
}

static enum checker_verdict
judge(const struct checker *c, int code)
{
	switch (code) {
	case CODE_OK:
		return has_not_read(c) ? CHECKER_DEAF : CHECKER_YES;
	case CODE_TEMP:
		return CHECKER_BUSY;
	default:
		return CHECKER_NO;
	}
}

enum checker_verdict
checker_finish(struct checker *c)
{
	int64_t end = c->wait_ms == DEADLINE_NONE ? DEADLINE_NONE : deadline_after(c->wait_ms);
	enum checker_verdict verdict = CHECKER_SILENT;
	int code;

	switch (proc_finish_session(c->pid, end, &code)) {
	case PROC_DONE:
		verdict = judge(c, code);
		break;
	case PROC_KILLED:
		verdict = CHECKER_KILLED;
		break;
	default:
		break;
	}
	close_pipe(c);
	return verdict;
}
