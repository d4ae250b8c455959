/* deliver - the connection to a spawn daemon. */
#include "send/deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"
#include "send/jobs.h"
#include "send/send.h"

#define BITS 64
#define ID_SIZE (2 * NUM_U64_SIZE)

/* ---- starting and ending ---- */

static int
read_limit(int from, unsigned *limit)
{
	char bytes[SPAWNPROTO_SLOT_BYTES];

	for (size_t i = 0; i < sizeof bytes; i++)
		if (io_read(from, &bytes[i], 1) != 1)
			return -1;
	*limit = spawnproto_slot(bytes);
	return 0;
}

int
deliver_init(struct spawn *d, enum channel channel, int to, int from, uint64_t wanted)
{
	unsigned limit;

	*d = (struct spawn){ .channel = channel, .to = to, .from = from };
	if (read_limit(from, &limit) == -1)
		return -1;
	d->concurrency = wanted < limit ? (unsigned)wanted : limit;
	buf_init(&d->out, DELIVER_OUT_SIZE);
	d->slots = calloc((size_t)d->concurrency + 1, sizeof *d->slots);
	d->busy = calloc(d->concurrency / BITS + 1, sizeof *d->busy);
	/* The room for commands is taken now, so that none is cut for want of memory later. */
	if (!d->slots || !d->busy || !buf_room(&d->out, DELIVER_OUT_SIZE) ||
	    io_nonblock(to, true) == -1 || io_nonblock(from, true) == -1)
		return -1;
	return 0;
}

void
deliver_free(struct spawn *d)
{
	for (unsigned i = 0; d->slots && i < d->concurrency; i++)
		buf_free(&d->slots[i].recipient);
	for (size_t i = 0; i < DELIVER_REPORTS; i++)
		buf_free(&d->reports[i].text);
	free(d->slots);
	free(d->busy);
	buf_free(&d->out);
	buf_free(&d->command);
	spawnproto_report_free(&d->parser);
}

bool
deliver_idle(const struct spawn *d)
{
	return d->from == -1 || d->used == 0;
}

static void
lose(struct send *s, struct spawn *d)
{
	(void)close(d->to);
	(void)close(d->from);
	d->to = d->from = -1;
	activity_alert(&s->log, "oh no! lost spawn connection! dying...");
}

/* ---- commands ---- */

unsigned
deliver_room(const struct spawn *d)
{
	unsigned most = d->concurrency;

	if (d->throttle < most && deadline_now() < d->throttled_until)
		most = d->throttle;
	if (d->to == -1 || d->used >= most || d->out.n - d->out_at >= DELIVER_OUT_FULL)
		return 0;
	return most - d->used;
}

/* The lowest free slot; there is one. */
static unsigned
free_slot(const struct spawn *d)
{
	unsigned word = 0;

	while (d->busy[word] == UINT64_MAX)
		word++;
	return word * BITS + (unsigned)__builtin_ctzll(~d->busy[word]);
}

static int
put_command(struct spawn *d, unsigned slot, const struct job *job, struct span recipient)
{
	char id[ID_SIZE];
	struct buf sender = { 0 };

	if (d->out_at) {
		buf_drop(&d->out, d->out_at);
		d->out_at = 0;
	}
	jobs_id_path(job, id);
	route_sender(buf_span(&job->sender), recipient, &sender);
	buf_reset(&d->command);
	spawnproto_add_command(&d->command, slot, span_str(id), buf_span(&sender), recipient);
	if (!buf_ok(&sender) || !buf_ok(&d->command) ||
	    d->command.n > DELIVER_OUT_SIZE - d->out.n) {
		buf_free(&sender);
		return -1;
	}
	buf_free(&sender);
	buf_addbuf(&d->out, &d->command);
	return 0;
}

void
deliver_log_status(struct send *s)
{
	struct buf *line = activity_begin(&s->log);

	buf_adds(line, "status:");
	for (int c = 0; c < CHANNELS; c++) {
		buf_addc(line, ' ');
		buf_adds(line, jobs_channel_name((enum channel)c));
		buf_addc(line, ' ');
		buf_addnum(line, s->spawn[c].used);
		buf_addc(line, '/');
		buf_addnum(line, s->spawn[c].concurrency);
	}
	if (s->stopping)
		buf_adds(line, " exitasap");
	activity_end(&s->log);
}

static void
log_start(struct send *s, const struct spawn *d, const struct slot *slot)
{
	struct buf *line = activity_begin(&s->log);

	buf_adds(line, "starting delivery ");
	buf_addnum(line, slot->delivery);
	buf_adds(line, ": msg ");
	buf_addnum(line, slot->job->id);
	buf_adds(line, " to ");
	buf_adds(line, jobs_channel_name(d->channel));
	buf_addc(line, ' ');
	log_add_safe(line, buf_span(&slot->recipient));
	activity_end(&s->log);
	deliver_log_status(s);
}

int
deliver_start(struct send *s, struct spawn *d, struct job *job, off_t at, struct span recipient)
{
	unsigned i = free_slot(d);
	struct slot *slot = &d->slots[i];

	buf_reset(&slot->recipient);
	buf_addspan(&slot->recipient, recipient);
	if (!buf_ok(&slot->recipient) || put_command(d, i, job, recipient) == -1)
		return -1;
	slot->job = job;
	slot->delivery = ++s->deliveries;
	slot->at = at;
	slot->reported = false;
	slot->host = d->channel == CHANNEL_REMOTE ? hosts_take(&s->hosts, recipient) : NULL;
	d->busy[i / BITS] |= UINT64_C(1) << i % BITS;
	d->used++;
	log_start(s, d, slot);
	return 0;
}

static bool
write_commands(struct spawn *d)
{
	ssize_t n;

	if (d->out_at == d->out.n)
		return true;
	n = io_write(d->to, d->out.p + d->out_at, d->out.n - d->out_at);
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	d->out_at += (size_t)n;
	if (d->out_at == d->out.n) {
		buf_reset(&d->out);
		d->out_at = 0;
	}
	return true;
}

/* ---- reports ---- */

/* 1: some were there; 0: nothing now; -1: the daemon is gone. */
static int
read_reports(struct send *s, struct spawn *d)
{
	char bytes[16384];
	ssize_t n = io_read(d->from, bytes, sizeof bytes);

	if (n <= 0)
		return n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
	for (ssize_t i = 0; i < n; i++)
		if (spawnproto_report_feed(&d->parser, bytes[i])) {
			report_take(s, d);
			spawnproto_report_next(&d->parser);
			if (d->reports_n == DELIVER_REPORTS)
				report_apply(s, d);
		}
	report_apply(s, d);
	return 1;
}

void
deliver_watch(struct spawn *d, struct waitset *w)
{
	waitset_fd(w, d->from, POLLIN);
	/* What is left over, and the end of the other side, is for deliver_step. */
	if (d->to != -1 && (!write_commands(d) || d->out_at < d->out.n))
		waitset_fd(w, d->to, POLLOUT);
	/* A daemon that closes its end of the commands is noticed by its reports' end. */
	if (deadline_now() < d->throttled_until)
		waitset_until(w, d->throttled_until);
}

bool
deliver_step(struct send *s, struct spawn *d)
{
	if (d->to == -1)
		return true;
	if (write_commands(d)) {
		if (!waitset_ready(&s->wait, d->from, POLLIN) || read_reports(s, d) != -1)
			return true;
	} else {
		/* Whom it delivered to before it went must not get the message again. */
		while (read_reports(s, d) == 1)
			;
	}
	lose(s, d);
	return false;
}
