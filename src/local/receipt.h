/* receipt - does a message ask for a note that it was delivered, and what the note says. */
#ifndef LOCAL_RECEIPT_H
#define LOCAL_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "lib/span.h"

#define RECEIPT_LINE 998	/* bytes of the line that echoes the Message-ID (RFC 5322, 2.1.1) */

/* What a header says about it.  {0} to start. */
struct receipt {
	bool wanted;		/* Notice-Requested-Upon-Delivery-To names the address */
	bool automatic;		/* Auto-Submitted, and not `no`: such mail gets no answer */
	struct buf message_id;	/* the whole field, printable bytes of one line; empty: none */
};

/* Reads the header; address: as envelopes have it, compared byte by byte.  A field that cannot be
 * parsed asks for nothing.  IO_OK; IO_ERROR with errno (ENOMEM: out of memory). */
MUST_CHECK enum io_status receipt_read(struct receipt *r, struct io_in *in, struct span address);
void receipt_free(struct receipt *r);

/* Who it is from and to: `sender`, of the message that was delivered; it says `address`.  id_host
 * is for the note's own Message-ID. */
struct receipt_note {
	struct span sender, address, id_host;
	int64_t time;
};

/* Appends the note, header and body. */
void receipt_write(const struct receipt *r, const struct receipt_note *n, struct buf *to);

#endif
