/* todolink - qmail-send's side of the conversation with qmail-todo. */
#include "send/todolink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "mail/route.h"
#include "queue/qlayout.h"

#define MEMORY_RETRY_MS 1000

int
todolink_init(struct todolink *l, int to, int from, struct activity *log)
{
	l->to = to;
	l->from = from;
	l->log = log;
	buf_init(&l->record, TODOLINK_RECORD_MAX);
	if (to == -1)
		return 0;
	return io_nonblock(to, true) == -1 ? -1 : io_nonblock(from, true);
}

bool
todolink_used(const struct todolink *l)
{
	return l->to != -1;
}

void
todolink_order(struct todolink *l, char order)
{
	if (l->to == -1 || (order == TODOLINK_STOP && l->stop_sent))
		return;
	l->stop_sent |= order == TODOLINK_STOP;
	/* Repeating an order that is still waiting here adds nothing. */
	if (l->orders_n == sizeof l->orders || memchr(l->orders, order, l->orders_n))
		return;
	l->orders[l->orders_n++] = order;
}

void
todolink_watch(const struct todolink *l, struct waitset *w)
{
	if (l->held) {
		waitset_until(w, deadline_after(MEMORY_RETRY_MS));
		return;
	}
	waitset_fd(w, l->from, POLLIN);
	if (l->orders_n)
		waitset_fd(w, l->to, POLLOUT);
}

bool
todolink_may_exit(const struct todolink *l)
{
	return l->to == -1 || l->stopped;
}

static bool
send_orders(struct todolink *l)
{
	ssize_t n;

	if (!l->orders_n)
		return true;
	n = io_write(l->to, l->orders, l->orders_n);
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	l->orders_n -= (size_t)n;
	memmove(l->orders, l->orders + n, l->orders_n);
	return true;
}

static bool
parse_channels(char c, unsigned *channels)
{
	switch (c) {
	case TODOLINK_LOCAL:
		*channels = 1U << CHANNEL_LOCAL;
		return true;
	case TODOLINK_REMOTE:
		*channels = 1U << CHANNEL_REMOTE;
		return true;
	case TODOLINK_BOTH:
		*channels = 1U << CHANNEL_LOCAL | 1U << CHANNEL_REMOTE;
		return true;
	case TODOLINK_NONE:
		*channels = 0;
		return true;
	default:
		return false;
	}
}

/* Verbatim, but for a line that was cut and has lost its end.  Trouble that both of us have with
 * the disk is told once. */
static void
log_text(struct todolink *l, struct span text)
{
	if (span_starts(text, span_str(ACTIVITY_QUEUE)) && !activity_may(l->log, CAUSE_QUEUE))
		return;
	if (text.n && text.p[text.n - 1] == '\n') {
		l->log->emit(l->log->arg, text);
		return;
	}
	buf_addspan(activity_begin(l->log), text);
	activity_end(l->log);
}

/* false: no memory, the record must be taken again. */
static bool
take_record(struct todolink *l)
{
	struct span record = buf_span(&l->record);
	unsigned channels;
	uint64_t id;

	if (record.n && record.p[0] == TODOLINK_LOG) {
		log_text(l, span_tail(record, 1));
	} else if (record.n == 1 && record.p[0] == TODOLINK_STOPPED) {
		l->stopped = true;
	} else if (record.n > 2 && record.p[0] == TODOLINK_DONE &&
	    parse_channels(record.p[1], &channels) && qlayout_parse_id(span_tail(record, 2), &id)) {
		return l->preprocessed(l->arg, id, channels);
	} else {
		activity_say(l->log, "warning: qmail-send unable to understand qmail-todo");
	}
	return true;
}

/* Takes the records apart; stops at one that needs memory. */
static void
take_input(struct todolink *l)
{
	while (l->held || l->in_at < l->in_n) {
		char c = l->held ? '\0' : l->in[l->in_at++];

		if (c != '\0') {
			if (l->record.n < TODOLINK_RECORD_MAX)
				buf_addc(&l->record, c);
			continue;
		}
		l->held = !take_record(l);
		if (l->held)
			return;
		buf_reset(&l->record);
	}
}

static bool
read_records(struct todolink *l)
{
	ssize_t n = io_read(l->from, l->in, sizeof l->in);

	if (n <= 0)
		return n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
	l->in_n = (size_t)n;
	l->in_at = 0;
	return true;
}

bool
todolink_step(struct todolink *l, const struct waitset *w)
{
	bool alive;

	if (l->to == -1)
		return true;
	alive = send_orders(l);
	take_input(l);
	if (alive && !l->held && waitset_ready(w, l->from, POLLIN)) {
		alive = read_records(l);
		take_input(l);
	}
	if (alive)
		return true;
	(void)close(l->to);
	(void)close(l->from);
	l->to = l->from = -1;
	if (!l->stopped)
		activity_say(l->log, "alert: oh no! lost qmail-todo connection! dying...");
	return false;
}
