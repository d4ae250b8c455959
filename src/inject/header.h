/* header - reading a message's header: fields with addresses are completed, recipients and sender
 * collected, everything kept until the whole header is known to be good. */
#ifndef INJECT_HEADER_H
#define INJECT_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inject/fault.h"
#include "inject/recips.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "mail/field.h"
#include "mail/hdr5322.h"

#define HEADER_MAX ((size_t)16 << 20)		/* bytes of a header as it comes in */
#define HEADER_TEXT_MAX ((size_t)128 << 20)	/* and completed */

/* How to treat it. */
struct header_rules {
	const struct hdr5322_rules *addresses;
	bool ignore_return_path;	/* do not even parse it; it goes in any case */
	bool drop_from, drop_message_id;
	bool collect_recipients;
	bool collect_followup;		/* To and Cc for Mail-Followup-To */
	/* Keep, unchanged, what cannot be parsed, instead of FAULT_LINE; fields that are not to be
	 * seen (Bcc, Return-Path) go nevertheless. */
	bool lenient_recipients;	/* To, Cc, Bcc, Apparently-To, and Resent- of them */
	bool lenient_senders;		/* the others */
};

/* Where it ended. */
enum header_end {
	HEADER_END_INPUT,	/* no body, not even the empty line */
	HEADER_END_BLANK,	/* at the empty line, which is read */
	HEADER_END_BODY		/* at `line`, which is the first one of the body */
};

/* HEADER_EMPTY to start. */
struct header {
	struct buf text;		/* the fields that are to be sent, LF line ends */
	uint64_t seen;			/* one bit (HEADER_BIT) for each enum field_id */
	struct recips recipients, resent, followup;	/* fields in order, each right to left */
	struct buf sender;		/* from Return-Path, if has_sender */
	bool has_sender;
	bool crlf;			/* the first line of all ended in CRLF */
	enum header_end end;
	struct buf line;		/* for HEADER_END_BODY: as it came, without LF */
	bool line_ended;		/* it had an LF */
	size_t bytes;			/* read so far */
};

#define HEADER_EMPTY { .text = BUF_CAP(HEADER_TEXT_MAX), .line = BUF_CAP(HEADER_MAX), \
	.recipients = RECIPS_EMPTY, .resent = RECIPS_EMPTY, .followup = RECIPS_EMPTY }
#define HEADER_BIT(id) ((uint64_t)1 << (id))

_Static_assert(FIELD_COUNT <= 64, "struct header keeps a bit for each field in 64 bits");

/* Reads up to the body and not a byte further than `in` has buffered.  CR is no part of a line
 * end here: runs of it before LF are dropped, others become spaces.  FAULT_READ, FAULT_MEMORY,
 * FAULT_HEADER_SIZE, FAULT_RECIPIENTS; FAULT_LINE with the field in *detail. */
MUST_CHECK enum fault header_read(struct header *h, const struct header_rules *rules,
    struct io_in *in, struct buf *detail);
void header_free(struct header *h);
/* Any Resent- field? */
bool header_is_resent(const struct header *h);

#endif
