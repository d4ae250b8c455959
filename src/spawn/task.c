/* task - one delivery as it has been ordered, and its beginning. */
#include "spawn/task.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/fsops.h"
#include "lib/sys.h"
#include "queue/spawnproto.h"

const char *
task_check_id(struct span id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_isdigit(id.p[i]) && (i == 0 || id.p[i] != '/'))
			return "DInternal error: messid has nonnumerics. (#5.3.5)\n";
	if (id.n + 1 > SPAWNPROTO_ID_MAX)
		return "DInternal error: messid too long. (#5.3.5)\n";
	if (id.n == 0)
		return "DInternal error: messid too short. (#5.3.5)\n";
	return NULL;
}

bool
task_set(struct task *t, const struct batch *b)
{
	t->at = b->at;
	t->n = b->n;
	buf_reset(&t->text);
	buf_addbuf(&t->text, &b->id);
	buf_addc(&t->text, '\0');
	buf_addbuf(&t->text, &b->sender);
	buf_addc(&t->text, '\0');
	buf_addbuf(&t->text, &b->recipients);
	return buf_ok(&t->text);
}

void
task_free(struct task *t)
{
	buf_free(&t->text);
}

/* NULL and the descriptor, at the start; or the report. */
static const char *
open_message(const char *id, uid_t owner, int *fd)
{
	struct stat st;
	const char *complaint = NULL;

	if ((*fd = fsops_open_read(id)) == -1)
		return "Zqmail-spawn unable to open message. (#4.3.0)\n";
	if (fstat(*fd, &st) == -1)
		complaint = "Zqmail-spawn unable to fstat message. (#4.3.0)\n";
	else if (!S_ISREG(st.st_mode))
		complaint = "ZSorry, message has wrong type. (#4.3.5)\n";
	else if (st.st_uid != owner)
		complaint = "ZSorry, message has wrong owner. (#4.3.5)\n";
	if (complaint)
		(void)close(*fd);
	return complaint;
}

/* A process of its own. */
static const char *
run_alone(const struct spawnd_ops *ops, struct spawnd_delivery *delivery, struct task_run *run)
{
	int fds[2];

	if (sys_pipe(fds) == -1)
		return "Zqmail-spawn unable to create pipe. (#4.3.0)\n";
	delivery->output_fd = fds[1];
	run->fd = fds[0];
	run->code = 0;
	run->pid = ops->start(ops->state, delivery, &run->code);
	(void)close(fds[1]);
	if (run->pid != -1)
		return NULL;
	(void)close(fds[0]);
	*run = (struct task_run){ .fd = -1 };
	return "Zqmail-spawn unable to fork. (#4.3.0)\n";
}

const char *
task_begin(const struct task *t, const struct spawnd_ops *ops, uid_t owner, bool alone,
    struct task_run *run)
{
	const char *id = buf_str(&t->text), *sender = id + strlen(id) + 1;
	struct spawnd_delivery delivery = { .sender = sender, .output_fd = -1,
		.recipient = sender + strlen(sender) + 1, .at = t->at, .n = t->n };
	const char *complaint = open_message(id, owner, &delivery.message_fd);

	*run = (struct task_run){ .fd = -1 };
	if (complaint)
		return complaint;
	run->handed = !alone && ops->hand && ops->hand(ops->state, &delivery, &run->worker);
	if (run->handed) {
		run->pid = run->worker.pid;
		run->fd = run->worker.fd;
	} else {
		complaint = run_alone(ops, &delivery, run);
	}
	(void)close(delivery.message_fd);
	return complaint;
}
