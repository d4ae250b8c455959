/* wire - the connection of a QMTP or QMQP server: reads netstrings, writes answers.
 * The first trouble sticks: from then on reads give nothing, and one look at `status` tells. */
#ifndef QMTP_WIRE_H
#define QMTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "lib/span.h"

/* Limits, all of them in qmail-limits(7). */
#define WIRE_TIMEOUT_MS (INT64_C(300) * 1000)	/* one read or write */
#define WIRE_TOTAL_MAX_MS (INT64_C(3600) * 1000)	/* the whole connection */
#define WIRE_ADDRESS_MAX ((size_t)999)

#define WIRE_INPUT 16384
#define WIRE_OUTPUT 4096
#define WIRE_OPEN UINT64_MAX			/* of `left`: not inside a netstring */

enum wire_status {
	WIRE_OK,
	WIRE_GONE,		/* the client went away */
	WIRE_TIMEOUT,
	WIRE_PROTOCOL,		/* what it says is no QMTP, or no QMQP */
	WIRE_TROUBLE		/* on our side: control files, memory, no process for the queue */
};

struct wire {
	struct io_in in;
	struct io_out out;
	enum wire_status status;
	uint64_t left;		/* bytes of the netstring around that are not read yet */
	char input[WIRE_INPUT], output[WIRE_OUTPUT];
};

/* Serves descriptors 0 and 1. */
void wire_init(struct wire *w);
/* Sets the status, unless there is one already. */
void wire_fail(struct wire *w, enum wire_status status);
/* What is buffered leaves.  The exit code of a server that ends with this status. */
MUST_CHECK int wire_end(struct wire *w);

/* ---- reading; all are 0 or empty after a failure ---- */

char wire_getc(struct wire *w);
/* The length of the next netstring.  In a netstring there must be room for it. */
uint64_t wire_length(struct wire *w);
/* At least one byte and at most max, borrowed until the next read. */
struct span wire_some(struct wire *w, uint64_t max);
/* The end of a netstring. */
void wire_comma(struct wire *w);
/* Enters a netstring that holds netstrings: `left` counts down.  It is left when all was read. */
void wire_enter(struct wire *w);
void wire_leave(struct wire *w);
/* Is there more of the netstring entered? */
bool wire_more(const struct wire *w);
/* A netstring that is an address: replaces *address.  false: it is longer than max or holds a NUL,
 * and *address means nothing. */
MUST_CHECK bool wire_address(struct wire *w, size_t max, struct buf *address);

/* ---- writing ---- */

/* An answer as a netstring; leaves before the next read that has to wait, or with wire_end. */
void wire_answer(struct wire *w, struct span text);

#endif
