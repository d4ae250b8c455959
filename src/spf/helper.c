/* helper - qmail-spf as a process of qmail-smtpd's. */
#include "spf/helper.h"

#include <signal.h>
#include <unistd.h>

#include "lib/proc.h"
#include "lib/sys.h"

#define PROGRAM "bin/qmail-spf"

static void
close_both(int fds[2])
{
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static int
start(struct spf_helper *h)
{
	char name[] = PROGRAM;
	char *argv[] = { name, NULL };
	struct proc_spawn spawn = { .argv = argv, .nfds = 2 };
	int question[2], answer[2];

	if (sys_pipe(question) == -1)
		return -1;
	if (sys_pipe(answer) == -1) {
		close_both(question);
		return -1;
	}
	spawn.fds[0] = (struct proc_fd){ 0, question[0] };
	spawn.fds[1] = (struct proc_fd){ 1, answer[1] };
	h->pid = proc_spawn(&spawn, NULL);
	if (h->pid == -1) {
		h->pid = 0;
		close_both(question);
		close_both(answer);
		return -1;
	}
	(void)close(question[0]);
	(void)close(answer[1]);
	h->ask = question[1];
	h->hear = answer[0];
	io_out_init(&h->out, h->ask, h->out_buffer, sizeof h->out_buffer);
	io_in_init(&h->in, h->hear, h->in_buffer, sizeof h->in_buffer);
	return 0;
}

static void
stop(struct spf_helper *h)
{
	int status;

	if (!h->pid)
		return;
	(void)close(h->ask);
	(void)close(h->hear);
	(void)kill(h->pid, SIGKILL);
	(void)!proc_wait(h->pid, &status);
	h->pid = 0;
}

enum spf_link_status
spf_helper_ask(struct spf_helper *h, const struct spf_question *q, enum spf_result *result,
    struct buf *text, struct buf *explanation)
{
	enum spf_link_status status = SPF_LINK_BAD;

	if (!h->pid && start(h) == -1)
		return SPF_LINK_BAD;
	h->out.deadline = h->in.deadline = deadline_after(SPF_HELPER_MS);
	if (spf_link_ask(&h->out, q) == 0)
		status = spf_link_hear(&h->in, result, text, explanation);
	if (status == SPF_LINK_BAD)
		stop(h);
	return status;
}

void
spf_helper_free(struct spf_helper *h)
{
	if (!h->pid)
		return;
	(void)close(h->ask);
	(void)close(h->hear);
	h->pid = 0;
}
