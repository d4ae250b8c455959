/* transfer - what QMTP and QMQP servers have in common: the text goes into the queue, and what
 * became of it is said. */
#ifndef QMTP_TRANSFER_H
#define QMTP_TRANSFER_H

#include <stdint.h>

#include "lib/buf.h"
#include "mail/trace.h"
#include "qmtp/wire.h"
#include "queue/incoming.h"

/* Starts the queue program.  Where that fails the wire has failed with WIRE_TROUBLE, and `in` must
 * not be used. */
void transfer_open(struct wire *w, struct incoming *in, const struct trace_hop *peer,
    const char *protocol, uint64_t size_limit);
/* The next n bytes of the wire as they are; or with CR LF turned into LF, and nothing else. */
void transfer_text(struct wire *w, struct incoming *in, uint64_t n);
void transfer_crlf(struct wire *w, struct incoming *in, uint64_t n);
/* Ends it.  Replaces *answer by `Kok TIME qp PID`, or Z or D (temporary, permanent) and the reason
 * with its code, e.g. `Zqq read error (#4.3.0)`. */
enum incoming_result transfer_close(struct incoming *in, struct buf *answer);

#endif
