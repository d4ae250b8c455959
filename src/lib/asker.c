/* asker - a program of ours that answers questions over two pipes. */
#include "lib/asker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sys.h"

void
asker_close(struct asker *a)
{
	if (a->running) {
		(void)close(a->to);
		(void)close(a->from);
	}
	a->running = false;
}

/* A user of its own may keep it from being killed; then it ends with its input, or we do without
 * another: there is never more than one. */
static void
give_up(struct asker *a)
{
	bool was_running = a->running;

	asker_close(a);
	if (was_running && a->pid)
		(void)kill(a->pid, SIGKILL);
}

/* false: the one before is still there. */
static bool
is_alone(struct asker *a)
{
	int status;

	if (a->pid && proc_wait_until(a->pid, deadline_after(ASKER_END_MS), &status) == -1 &&
	    errno == ETIMEDOUT)
		return false;
	a->pid = 0;
	return true;
}

static int
open_pipes(int question[2], int answer[2])
{
	if (sys_pipe(question) == -1)
		return -1;
	if (sys_pipe(answer) == 0)
		return 0;
	(void)close(question[0]);
	(void)close(question[1]);
	return -1;
}

static int
start(struct asker *a, char *const argv[], char *const envp[])
{
	int question[2], answer[2];
	pid_t pid;

	if (!is_alone(a) || open_pipes(question, answer) == -1)
		return -1;
	pid = proc_spawn(&(struct proc_spawn){ .argv = argv, .envp = envp,
	    .fds = { { 0, question[0] }, { 1, answer[1] }, { 2, -1 } }, .nfds = 3 }, NULL);
	(void)close(question[0]);
	(void)close(answer[1]);
	*a = (struct asker){ .running = true, .to = question[1], .from = answer[0],
	    .pid = pid == -1 ? 0 : pid, .tie = a->tie };
	return pid == -1 ? -1 : 0;
}

static int
exchange(struct asker *a, struct span question, int64_t wait_ms, struct buf *answer)
{
	char text[ASKER_QUESTION_MAX], buffer[512];
	struct io_in in;

	if (question.n >= sizeof text || span_chr(question, '\0') < question.n)
		return -1;
	if (question.n)
		memcpy(text, question.p, question.n);
	text[question.n] = '\0';
	io_in_init(&in, a->from, buffer, sizeof buffer);
	in.timeout_ms = wait_ms;
	in.deadline = deadline_after(wait_ms);
	in.tie = a->tie;
	if (io_write_all(a->to, text, question.n + 1) == -1 ||
	    io_get_until(&in, '\0', answer) != IO_OK)
		return -1;
	return io_peek(&in).n ? -1 : 0;	/* more than one answer */
}

/* It was not there any more to be asked. */
static bool
was_gone(int error)
{
	return error == EPIPE;
}

int
asker_ask(struct asker *a, char *const argv[], char *const envp[], struct span question,
    int64_t wait_ms, struct buf *answer)
{
	bool was_running = a->running;
	int r = -1;

	buf_reset(answer);
	errno = 0;
	if (was_running && (r = exchange(a, question, wait_ms, answer)) == -1 && was_gone(errno)) {
		give_up(a);
		was_running = false;
	}
	if (!was_running && start(a, argv, envp) == 0)
		r = exchange(a, question, wait_ms, answer);
	if (r == -1)
		give_up(a);	/* what comes later would answer another question */
	return r;
}

/* ---- the program's side ---- */

static int
answer_one(struct asker_server *s)
{
	int code;

	buf_reset(&s->text);
	code = s->answer(s->data, buf_span(&s->question), &s->text);
	if (code != CODE_OK)
		return code;
	buf_addc(&s->text, '\0');
	return buf_ok(&s->text) && io_write_all(1, s->text.p, s->text.n) == 0 ? CODE_OK : CODE_TEMP;
}

int
asker_serve(struct asker_server *s)
{
	char buffer[4096];
	enum io_status status;
	struct io_in in;
	int code = CODE_OK;

	io_in_init(&in, 0, buffer, sizeof buffer);
	in.timeout_ms = s->idle_ms;
	in.deadline = deadline_after(s->idle_ms);
	while (code == CODE_OK && (status = io_get_until(&in, '\0', &s->question)) == IO_OK) {
		code = answer_one(s);
		buf_reset(&s->question);
		in.deadline = deadline_after(s->idle_ms);
	}
	if (code == CODE_OK && ((status != IO_EOF && status != IO_TIMEOUT) || s->question.n ||
	    !buf_ok(&s->question)))
		code = CODE_PERM;
	buf_free(&s->question);
	buf_free(&s->text);
	return code;
}
