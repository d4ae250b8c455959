/* batch - commands that one process can carry out together. */
#include "spawn/batch.h"

#include "lib/ascii.h"

/* Behind the last @. */
static struct span
host_of(struct span recipient)
{
	return span_tail(recipient, span_rchr(recipient, '@') + 1);
}

bool
batch_takes(const struct batch *b, const struct spawnproto_command *c, size_t max)
{
	struct span first = span_str(b->n ? buf_str(&b->recipients) : "");

	if (b->n == 0)
		return true;
	return b->n < max && b->recipients.n + c->recipient.n < BATCH_BYTES_MAX &&
	    span_eq(buf_span(&b->id), buf_span(&c->id)) &&
	    span_eq(buf_span(&b->sender), buf_span(&c->sender)) &&
	    ascii_ieq(host_of(first), host_of(buf_span(&c->recipient)));
}

int
batch_add(struct batch *b, const struct spawnproto_command *c)
{
	if (b->n == 0) {
		buf_addbuf(&b->id, &c->id);
		buf_addbuf(&b->sender, &c->sender);
		b->at = span_rchr(buf_span(&c->recipient), '@');
	}
	buf_addbuf(&b->recipients, &c->recipient);
	buf_addc(&b->recipients, '\0');
	b->slots[b->n++] = c->slot;
	return buf_ok(&b->id) && buf_ok(&b->sender) && buf_ok(&b->recipients) ? 0 : -1;
}

void
batch_reset(struct batch *b)
{
	buf_reset(&b->id);
	buf_reset(&b->sender);
	buf_reset(&b->recipients);
	b->n = 0;
}

void
batch_free(struct batch *b)
{
	buf_free(&b->id);
	buf_free(&b->sender);
	buf_free(&b->recipients);
	b->n = 0;
}
