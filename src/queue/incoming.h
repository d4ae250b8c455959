/* incoming - a message from the network on its way into the queue: gets its Received field, has its
 * hops counted and its size limited.
 *
 *	struct incoming in;
 *	if (incoming_open(&in, &hop, limit, timeout_ms) == -1) ...cannot start: temporary...
 *	incoming_text(&in, p, n) ...				as often as needed
 *	submit_sender(&in.submit, sender);			closes the message
 *	submit_recipient(&in.submit, recipient) ...
 *	result = incoming_close(&in, &why);			or incoming_abandon(&in)
 *
 * As with queue/submit.h nothing is queued after submit_abort(&in.submit). */
#ifndef QUEUE_INCOMING_H
#define QUEUE_INCOMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "mail/trace.h"
#include "queue/submit.h"

/* The first that is true, in the order of LOOP, TOO_BIG, the rest. */
enum incoming_result {
	INCOMING_OK,		/* queued, and on disk */
	INCOMING_TEMPORARY,	/* the queue's refusal */
	INCOMING_PERMANENT,
	INCOMING_LOOP,		/* TRACE_MAX_HOPS or more */
	INCOMING_TOO_BIG	/* over the limit */
};

struct incoming {
	struct submit submit;
	struct trace_counter hops;
	uint64_t stored;	/* bytes without our Received field */
	uint64_t limit;
	bool too_big;
};

/* limit: bytes of text, 0 = none.  timeout_ms: as for submit_set_timeout.  -1 with errno: see
 * submit_open. */
MUST_CHECK int incoming_open(struct incoming *in, const struct trace_hop *hop, uint64_t limit,
    int64_t timeout_ms);
/* The next piece of the text, with LF line ends. */
void incoming_text(struct incoming *in, const char *p, size_t n);
/* Ends the queue program; nothing is queued. */
void incoming_abandon(struct incoming *in);
/* *why is replaced by the reason of TEMPORARY and PERMANENT, as in submit_close. */
MUST_CHECK enum incoming_result incoming_close(struct incoming *in, struct buf *why);

#endif
