/* rig_queue - in place of queue/submit.c: a queue that keeps its promises without any process. */
#include <errno.h>

#include "queue/submit.h"
#include "rig.h"

#define PID 4712

static struct {
	enum rig_queue_mood mood;
	size_t accepted, recipients, open;
	struct rig_message message, last;	/* under way; accepted */
} queue;

void
rig_queue_reset(enum rig_queue_mood mood)
{
	queue.mood = mood;
	queue.accepted = queue.recipients = queue.open = 0;
}

size_t
rig_queue_count(void)
{
	return queue.accepted;
}

size_t
rig_queue_recipients(void)
{
	return queue.recipients;
}

size_t
rig_queue_open(void)
{
	return queue.open;
}

const struct rig_message *
rig_queue_last(void)
{
	return &queue.last;
}

int
submit_open(struct submit *s)
{
	struct rig_message *m = &queue.message;

	if (queue.mood == RIG_QUEUE_DEAD) {
		errno = EAGAIN;
		return -1;
	}
	*s = (struct submit){ .pid = PID, .message_fd = -1, .envelope_fd = -1, .error_fd = -1 };
	queue.open++;
	buf_reset(&m->text);
	buf_reset(&m->sender);
	buf_reset(&m->recipients);
	m->n = 0;
	return 0;
}

void
submit_set_timeout(struct submit *s, int64_t timeout_ms)
{
	(void)s;
	promise(timeout_ms > 0);
}

void
submit_message(struct submit *s, const void *p, size_t n)
{
	promise(!s->ended);
	if (!s->failed && !s->in_envelope)
		buf_add(&queue.message.text, p, n);
}

int
submit_copy(struct submit *s, int fd)
{
	(void)s;
	(void)fd;
	errno = EIO;
	return -1;
}

void
submit_abort(struct submit *s)
{
	s->failed = true;
}

void
submit_sender(struct submit *s, struct span sender)
{
	promise(!s->in_envelope && !s->ended);
	s->in_envelope = true;
	if (span_chr(sender, '\0') < sender.n)
		s->failed = true;
	buf_addspan(&queue.message.sender, sender);
}

void
submit_recipient(struct submit *s, struct span recipient)
{
	promise(s->in_envelope && !s->ended);
	if (span_chr(recipient, '\0') < recipient.n)
		s->failed = true;
	buf_addspan(&queue.message.recipients, recipient);
	buf_addc(&queue.message.recipients, '\0');
	queue.message.n++;
}

void
submit_end(struct submit *s)
{
	s->ended = true;
	if (!s->in_envelope)
		s->failed = true;
}

enum submit_result
submit_close(struct submit *s, struct buf *text)
{
	submit_end(s);
	promise(queue.open > 0);
	queue.open--;
	buf_reset(text);
	if (!s->failed && queue.mood == RIG_QUEUE_TAKES) {
		struct rig_message old = queue.last;

		queue.accepted++;
		queue.recipients += queue.message.n;
		queue.last = queue.message;
		queue.message = old;
		return SUBMIT_OK;
	}
	if (!s->failed && queue.mood == RIG_QUEUE_REFUSES) {
		buf_adds(text, "refused (#5.3.0)");
		return SUBMIT_PERMANENT;
	}
	buf_adds(text, "qq read error (#4.3.0)");
	return SUBMIT_TEMPORARY;
}
