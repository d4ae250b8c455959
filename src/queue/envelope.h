/* envelope - the records of todo, info, local and remote files: a type byte, data, NUL.
 *
 *	todo/457	u1000\0p12345\0Fjoe@a.example\0Tann@b.example\0Tbob@c.example\0
 *	info/20/457	Fjoe@a.example\0
 *	remote/20/457	Tbob@c.example\0	T becomes D in place when done
 */
#ifndef QUEUE_ENVELOPE_H
#define QUEUE_ENVELOPE_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "lib/span.h"

enum envelope_type {
	ENVELOPE_UID = 'u',
	ENVELOPE_PID = 'p',
	ENVELOPE_SENDER = 'F',
	ENVELOPE_RECIPIENT = 'T',
	ENVELOPE_DONE = 'D'
};

#define ENVELOPE_ADDRESS_MAX ((size_t)1002)	/* bytes of an address qmail-queue takes */
#define ENVELOPE_RECORD_MAX ((size_t)65536)	/* bytes of a record any reader takes */

/* Reads the next record: *type, *data (replaced).  IO_EOF at the end, also for an unterminated
 * tail; IO_TOOLONG over ENVELOPE_RECORD_MAX; IO_ERROR. */
MUST_CHECK enum io_status envelope_read(struct io_in *in, char *type, struct buf *data);
void envelope_put(struct io_out *out, enum envelope_type type, struct span data);
void envelope_put_number(struct io_out *out, enum envelope_type type, uint64_t value);

#endif
