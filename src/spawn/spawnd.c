/* spawnd - what qmail-lspawn and qmail-rspawn have in common. */
#include "spawn/spawnd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "lib/uids.h"
#include "queue/spawnproto.h"
#include "spawn/batch.h"
#include "spawn/outbox.h"
#include "spawn/report.h"
#include "spawn/task.h"

#define NO_MEMORY "Zqmail-spawn out of memory. (#4.3.0)\n"
#define OUTPUT_FIRST 256	/* bytes of output we want memory for before we start anything */
#define SPARE_FILES 16
#define DRAIN_READS 16		/* of what a process has left in its pipe */

struct slot {
	bool used;
	bool has_next;		/* another one of the same process: `next` */
	unsigned next;
	struct task task;	/* all that follows is in the first one */
	struct task_run run;	/* pid 0: reaped; code: once reaped */
	int64_t until;		/* once reaped: waits no longer for the end of the output */
	struct buf output;
	const char *complaint;	/* the report, if there is one without a process */
};

/* Where poll(2) finds things: commands, signals, then one entry per slot in use. */
enum { POLL_COMMANDS, POLL_SIGNALS, POLL_SLOTS };

struct spawnd {
	const struct spawnd_ops *ops;
	uid_t owner;			/* of message files */
	size_t files;			/* how many may be open */
	struct spawnproto_command command;
	struct batch batch;		/* commands not started yet */
	struct slot slots[SPAWN_SLOTS];
	size_t active[SPAWN_SLOTS], n_active;	/* slots in use, in the order of polls */
	struct pollfd polls[POLL_SLOTS + SPAWN_SLOTS];	/* fd -1: output has ended */
	size_t lingering;		/* reaped, output not ended */
	struct outbox out;
};

/* ---- end of a delivery ---- */

static struct slot *
slot_at(struct spawnd *d, size_t i)
{
	return &d->slots[d->active[i]];
}

static int *
output_fd(struct spawnd *d, size_t i)
{
	return &d->polls[POLL_SLOTS + i].fd;
}

static void
close_output(struct spawnd *d, size_t i)
{
	if (*output_fd(d, i) == -1)
		return;
	(void)close(*output_fd(d, i));
	*output_fd(d, i) = -1;
	if (slot_at(d, i)->run.pid == 0)
		d->lingering--;
}

static void
report_one(struct spawnd *d, unsigned number, const struct slot *first, size_t which)
{
	struct buf text = { 0 };

	if (first->complaint)
		buf_adds(&text, first->complaint);
	else
		d->ops->report(first->run.code, buf_span(&first->output), which, &text);
	outbox_put(&d->out, number, buf_ok(&text) ? buf_span(&text) : span_str(NO_MEMORY));
	buf_free(&text);
}

/* Reports and frees the slots of a process; the last active one takes its place. */
static void
finish(struct spawnd *d, size_t at)
{
	struct slot *first = slot_at(d, at), *slot = first;
	unsigned number = (unsigned)d->active[at];
	const size_t n = first->task.n;

	close_output(d, at);
	for (size_t i = 0; i < n; i++) {
		report_one(d, number, first, n == 1 ? 0 : i + 1);
		slot->used = false;
		number = slot->next;
		if (slot->has_next)
			slot = &d->slots[number];
	}
	buf_free(&first->output);
	task_free(&first->task);
	d->n_active--;
	d->active[at] = d->active[d->n_active];
	d->polls[POLL_SLOTS + at] = d->polls[POLL_SLOTS + d->n_active];
}

/* Whether it is the process of a slot. */
static bool
reaped(struct spawnd *d, pid_t pid, int status)
{
	for (size_t i = 0; i < d->n_active; i++) {
		struct slot *slot = slot_at(d, i);

		if (slot->run.pid != pid)
			continue;
		slot->run.pid = 0;
		/* A worker says when it has done its work; it does not end then. */
		slot->run.code = slot->run.handed ? SPAWND_CRASHED : proc_code(status);
		slot->until = deadline_after(SPAWND_LINGER_MS);
		if (*output_fd(d, i) != -1)
			d->lingering++;
		return true;
	}
	return false;
}

static void
reap_all(struct spawnd *d)
{
	pid_t pid;
	int status;

	while ((pid = proc_reap(&status)) > 0) {
		if (reaped(d, pid, status))
			continue;
		if (d->ops->workers)
			workers_reaped(d->ops->workers, pid);
		if (d->ops->reaped)
			d->ops->reaped(d->ops->state, pid);
	}
}

/* ---- start of a delivery ---- */

/* NULL if the command is one we can carry out, else the report. */
static const char *
check_command(struct spawnd *d, const struct spawnproto_command *c)
{
	struct span recipient = buf_span(&c->recipient);
	const char *complaint;

	if (c->failed)
		return NO_MEMORY;
	if (c->slot >= SPAWN_SLOTS)
		return "ZInternal error: delnum too big. (#4.3.5)\n";
	if (d->slots[c->slot].used)
		return "ZInternal error: delnum in use. (#4.3.5)\n";
	if ((complaint = task_check_id(buf_span(&c->id))) != NULL)
		return complaint;
	if (!buf_room(&d->slots[c->slot].output, OUTPUT_FIRST)) {
		buf_free(&d->slots[c->slot].output);
		return NO_MEMORY;
	}
	if (span_rchr(recipient, '@') == recipient.n)
		return "DSorry, address must include host name. (#5.1.3)\n";
	return NULL;
}

/* The slot's delivery has begun, or without a process is over already. */
static void
listen_to(struct spawnd *d, size_t i)
{
	struct slot *slot = slot_at(d, i);

	d->polls[POLL_SLOTS + i] = (struct pollfd){ .fd = slot->run.fd, .events = POLLIN };
	if (slot->run.pid == 0) {
		slot->until = deadline_now();
		d->lingering++;
	}
}

/* The slots of the batch belong to one delivery from now on. */
static void
occupy(struct spawnd *d)
{
	const struct batch *b = &d->batch;

	for (size_t i = 0; i < b->n; i++) {
		struct slot *slot = &d->slots[b->slots[i]];

		slot->has_next = i + 1 < b->n;
		slot->next = slot->has_next ? b->slots[i + 1] : 0;
	}
	d->active[d->n_active] = b->slots[0];
	listen_to(d, d->n_active++);
}

/* Workers that wait keep no descriptors from a delivery. */
static const char *
begin(struct spawnd *d, struct slot *slot, bool alone)
{
	const size_t used = d->n_active + 1 + SPARE_FILES;

	if (d->ops->workers)
		workers_limit(d->ops->workers, d->files > used ? d->files - used : 0);
	return task_begin(&slot->task, d->ops, d->owner, alone, &slot->run);
}

/* Starts what has come together; what cannot be started has its reports at once. */
static void
start_batch(struct spawnd *d, bool complete)
{
	const struct batch *b = &d->batch;
	const char *complaint = NO_MEMORY;
	struct slot *first = &d->slots[b->slots[0]];

	if (b->n == 0)
		return;
	first->complaint = NULL;
	if (complete && task_set(&first->task, b))
		complaint = begin(d, first, false);
	if (!complaint)
		occupy(d);
	else
		task_free(&first->task);
	for (size_t i = 0; complaint && i < b->n; i++) {
		d->slots[b->slots[i]].used = false;
		outbox_put(&d->out, b->slots[i], span_str(complaint));
	}
	batch_reset(&d->batch);
}

/* The command is complete: it waits for others that can go along, if there may be any. */
static void
carry_out(struct spawnd *d)
{
	const struct spawnproto_command *c = &d->command;
	const char *complaint = check_command(d, c);

	if (complaint) {
		outbox_put(&d->out, c->slot, span_str(complaint));
	} else {
		if (!batch_takes(&d->batch, c, d->ops->batch))
			start_batch(d, true);
		d->slots[c->slot].used = true;
		if (batch_add(&d->batch, c) == -1)
			start_batch(d, false);
		else if (d->batch.n >= d->ops->batch)
			start_batch(d, true);
	}
	spawnproto_command_next(&d->command);
}

/* Reads what there is of commands; false at their end. */
static bool
read_commands(struct spawnd *d)
{
	char chunk[SPAWND_READ_SIZE];
	ssize_t n = io_read(0, chunk, sizeof chunk);

	for (ssize_t i = 0; i < n; i++)
		if (spawnproto_command_feed(&d->command, chunk[i]))
			carry_out(d);
	start_batch(d, true);
	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

/* ---- output ---- */

static void
add_output(const struct spawnd *d, struct slot *slot, const char *text, size_t n)
{
	struct buf *output = &slot->output;

	buf_add(output, text, n);
	if (slot->task.n == 1)
		d->ops->limit(output);
	else if (output->n > (slot->task.n + 1) * SPAWND_BATCH_OUTPUT)
		buf_cut(output, (slot->task.n + 1) * SPAWND_BATCH_OUTPUT);
}

/* The worker has nothing more to do with this slot. */
static void
take_back(struct spawnd *d, size_t i)
{
	struct slot *slot = slot_at(d, i);

	if (slot->run.pid) {
		workers_keep(d->ops->workers, &slot->run.worker);
		*output_fd(d, i) = -1;
	} else {
		close_output(d, i);	/* it has ended meanwhile */
	}
	slot->run.pid = 0;
	slot->run.handed = false;
}

static void
run_after_all(struct spawnd *d, size_t i)
{
	struct slot *slot = slot_at(d, i);

	slot->complaint = begin(d, slot, true);
	if (!slot->complaint)
		listen_to(d, i);
}

static void
read_worker(struct spawnd *d, size_t i)
{
	struct slot *slot = slot_at(d, i);
	char chunk[SPAWND_READ_SIZE];
	size_t n = 0;

	switch (worker_read(d->ops->workers, &slot->run.worker, chunk, sizeof chunk, &n,
	    &slot->run.code)) {
	case WORKER_NOTHING:
		break;
	case WORKER_OUTPUT:
		add_output(d, slot, chunk, n);
		break;
	case WORKER_DONE:
		take_back(d, i);
		break;
	case WORKER_DECLINED:
		take_back(d, i);
		run_after_all(d, i);
		break;
	case WORKER_BROKEN:
		if (slot->run.pid)
			(void)kill(slot->run.pid, SIGKILL);
		close_output(d, i);
		break;
	case WORKER_ENDED:
		close_output(d, i);
		break;
	case WORKER_UNABLE:
		close_output(d, i);
		run_after_all(d, i);
		break;
	}
}

static void
read_output(struct spawnd *d, size_t i)
{
	char chunk[SPAWND_READ_SIZE];
	ssize_t n = io_read(*output_fd(d, i), chunk, sizeof chunk);

	if (n > 0)
		add_output(d, slot_at(d, i), chunk, (size_t)n);
	else
		close_output(d, i);
}

static void
read_slot(struct spawnd *d, size_t i)
{
	if (slot_at(d, i)->run.handed)
		read_worker(d, i);
	else
		read_output(d, i);
}

/* What the process wrote before it ended belongs to its report, also if we were too busy to read
 * it; what others in the background write now does not. */
static void
drain(struct spawnd *d, size_t i)
{
	for (int n = 0; n < DRAIN_READS && *output_fd(d, i) != -1 &&
	    io_wait_readable(*output_fd(d, i), deadline_now()) == IO_OK; n++)
		read_slot(d, i);
}

/* Reports what is complete, or has waited long enough for background processes. */
static void
finish_all(struct spawnd *d)
{
	for (size_t i = d->n_active; i > 0; i--) {
		const struct slot *slot = slot_at(d, i - 1);

		if (slot->run.pid == 0 && deadline_poll(slot->until) == 0)
			drain(d, i - 1);
		if (slot->run.pid == 0 &&
		    (*output_fd(d, i - 1) == -1 || deadline_poll(slot->until) == 0))
			finish(d, i - 1);
	}
}

/* ---- the loop ---- */

static int
prepare(struct spawnd *d)
{
	gid_t gid;

	/* Started with descriptor 2 closed, by qmail-start of old. */
	if (io_open_standard() == -1)
		return -1;
	sys_close_from(3);
	umask(077);
	d->files = sys_want_files(SPAWN_SLOTS + SPARE_FILES);
	sig_reset_all();	/* deliveries find it so */
	sig_ignore(SIGPIPE);
	if (chdir(QMAIL_HOME) == -1 || chdir("queue/mess") == -1 ||
	    uids_user(USER_QUEUE, &d->owner, &gid) != UIDS_FOUND)
		return -1;
	d->polls[POLL_COMMANDS] = (struct pollfd){ .fd = 0, .events = POLLIN };
	d->polls[POLL_SIGNALS].events = POLLIN;
	if ((d->polls[POLL_SIGNALS].fd = sig_watch_open()) == -1)
		return -1;
	sig_watch(SIGCHLD);
	return outbox_open(&d->out);
}

static int
wait_ms(struct spawnd *d)
{
	int64_t first = d->ops->workers ? workers_tidy(d->ops->workers) : DEADLINE_NONE;

	for (size_t i = 0; d->lingering && i < d->n_active; i++)
		if (d->slots[d->active[i]].run.pid == 0)
			first = deadline_first(first, d->slots[d->active[i]].until);
	return deadline_poll(first);
}

static void
serve(struct spawnd *d)
{
	size_t n = d->n_active;		/* deliveries started below were not polled */

	if (poll(d->polls, POLL_SLOTS + n, wait_ms(d)) == -1)
		return;		/* EINTR: the signal pipe will tell */
	if (d->polls[POLL_SIGNALS].revents) {
		sig_watch_drain();
		reap_all(d);
	}
	for (size_t i = 0; i < n; i++)
		if (*output_fd(d, i) != -1 && d->polls[POLL_SLOTS + i].revents)
			read_slot(d, i);
	finish_all(d);
	if (d->polls[POLL_COMMANDS].revents && !read_commands(d))
		d->polls[POLL_COMMANDS].fd = -1;
	outbox_flush(&d->out);
}

int
spawnd_run(const struct spawnd_ops *ops)
{
	struct spawnd *d = calloc(1, sizeof *d);

	if (!d)
		return CODE_TEMP;
	d->ops = ops;
	if (prepare(d) == -1) {
		free(d);
		return CODE_TEMP;
	}
	while (d->polls[POLL_COMMANDS].fd != -1 || d->n_active)
		serve(d);
	if (ops->workers)
		workers_end(ops->workers);
	spawnproto_command_free(&d->command);
	batch_free(&d->batch);
	outbox_free(&d->out);
	free(d);
	return CODE_OK;
}
