/* incoming - a message from the network on its way into the queue. */
#include "queue/incoming.h"

int
incoming_open(struct incoming *in, const struct trace_hop *hop, uint64_t limit, int64_t timeout_ms)
{
	struct buf field = { 0 };

	*in = (struct incoming){ .limit = limit };
	if (submit_open(&in->submit) == -1)
		return -1;
	submit_set_timeout(&in->submit, timeout_ms);
	trace_add_received(&field, hop);
	if (buf_ok(&field))
		submit_message(&in->submit, field.p, field.n);
	else
		submit_abort(&in->submit);
	buf_free(&field);
	return 0;
}

static bool
is_looping(const struct incoming *in)
{
	return in->hops.hops >= TRACE_MAX_HOPS;
}

void
incoming_text(struct incoming *in, const char *p, size_t n)
{
	trace_count(&in->hops, p, n);
	in->stored += n;
	if (in->limit && in->stored > in->limit)
		in->too_big = true;
	if (in->too_big || is_looping(in))
		submit_abort(&in->submit);
	submit_message(&in->submit, p, n);
}

void
incoming_abandon(struct incoming *in)
{
	struct buf why = { 0 };

	submit_abort(&in->submit);
	(void)!submit_close(&in->submit, &why);
	buf_free(&why);
}

enum incoming_result
incoming_close(struct incoming *in, struct buf *why)
{
	enum submit_result result = submit_close(&in->submit, why);

	if (is_looping(in))
		return INCOMING_LOOP;
	if (in->too_big)
		return INCOMING_TOO_BIG;
	/* From here on the message is safe, if the result says so. */
	return result == SUBMIT_OK ? INCOMING_OK :
	    result == SUBMIT_PERMANENT ? INCOMING_PERMANENT : INCOMING_TEMPORARY;
}
