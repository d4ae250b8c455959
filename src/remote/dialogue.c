/* dialogue - commands, replies, records of the report. */
#include "remote/dialogue.h"

#include <unistd.h>

#include "lib/deadline.h"

static void
use(struct dialogue *d, int in, int out)
{
	io_in_init(&d->in, in, d->input, sizeof d->input);
	io_out_init(&d->out, out, d->output, sizeof d->output);
	d->in.tie = &d->out;
	d->out.timeout_ms = d->reply_ms;
}

void
dialogue_start(struct dialogue *d, int fd, const char *ip)
{
	d->ip = ip;
	use(d, fd, fd);
}

void
dialogue_next(struct dialogue *d, struct buf *report, int64_t reply_ms, int64_t end)
{
	d->report = report;
	d->reply_ms = d->out.timeout_ms = reply_ms;
	d->end = d->out.deadline = end;
	d->at_dot = false;
	d->outcome = DIALOGUE_FINAL;
	buf_reset(report);
}

void
dialogue_move(struct dialogue *d, int in, int out)
{
	use(d, in, out);
	d->out.nonblocking = true;
	d->owns_descriptors = true;
}

void
dialogue_free(struct dialogue *d)
{
	if (d->owns_descriptors) {
		(void)close(d->in.fd);
		(void)close(d->out.fd);
	}
	smtpreply_free(&d->reply);
}

/* ---- records of the report ---- */

void
dialogue_record(struct dialogue *d, char letter, const char *before, const char *after)
{
	buf_addc(d->report, letter);
	buf_adds(d->report, before);
	buf_adds(d->report, d->ip);
	buf_adds(d->report, after);
}

void
dialogue_record_end(struct dialogue *d)
{
	buf_addc(d->report, '\0');
}

void
dialogue_add_reply(struct dialogue *d)
{
	buf_adds(d->report, "\nRemote host said: ");
	buf_addspan(d->report, smtpreply_said(&d->reply));
	dialogue_record_end(d);
}

void
dialogue_record_reply(struct dialogue *d, char letter, const char *before, const char *after)
{
	dialogue_record(d, letter, before, after);
	dialogue_add_reply(d);
}

/* ---- outcomes ---- */

bool
dialogue_settle(struct dialogue *d, enum dialogue_outcome outcome)
{
	d->outcome = outcome;
	return false;
}

/* A server that says it is closing is as good as gone. */
static bool
settle_by_reply(struct dialogue *d)
{
	return dialogue_settle(d, d->reply.code == DIALOGUE_CLOSING && !d->at_dot ?
	    DIALOGUE_NEXT : DIALOGUE_FINAL);
}

bool
dialogue_refused(struct dialogue *d, const char *before, const char *after)
{
	dialogue_record_reply(d, d->reply.code >= DIALOGUE_PERMANENT ? 'D' : 'Z', before, after);
	return settle_by_reply(d);
}

bool
dialogue_unwelcome(struct dialogue *d, const char *after)
{
	dialogue_record_reply(d, 'Z', "Connected to ", after);
	return dialogue_settle(d, DIALOGUE_NEXT);
}

bool
dialogue_died(struct dialogue *d)
{
	dialogue_record(d, 'Z', "Connected to ", d->at_dot ?
	    " but connection died. Possible duplicate! (#4.4.2)\n" :
	    " but connection died. (#4.4.2)\n");
	dialogue_record_end(d);
	d->hung_up = true;
	return dialogue_settle(d, d->at_dot ? DIALOGUE_FINAL : DIALOGUE_NEXT);
}

bool
dialogue_local_trouble(struct dialogue *d, const char *text)
{
	buf_adds(d->report, text);
	dialogue_record_end(d);
	d->hung_up = true;
	return dialogue_settle(d, DIALOGUE_FINAL);
}

/* ---- replies ---- */

bool
dialogue_read(struct dialogue *d, int64_t deadline)
{
	enum smtpreply_status status = SMTPREPLY_MORE;

	smtpreply_reset(&d->reply);
	d->in.deadline = deadline;
	while (status == SMTPREPLY_MORE) {
		struct span have, left;

		if (io_fill(&d->in) != IO_OK)
			return false;
		left = have = io_peek(&d->in);
		status = smtpreply_feed(&d->reply, &left);
		io_skip(&d->in, have.n - left.n);
	}
	return status == SMTPREPLY_DONE;
}

bool
dialogue_reply(struct dialogue *d)
{
	int64_t wait = deadline_after(d->reply_ms);

	d->out.deadline = d->end;
	return dialogue_read(d, deadline_first(wait, d->end)) || dialogue_died(d);
}
