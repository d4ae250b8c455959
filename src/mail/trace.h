/* trace - the trace fields that programs of the suite write: Received, Delivered-To, Return-Path;
 * and counting them. */
#ifndef MAIL_TRACE_H
#define MAIL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/span.h"

#define TRACE_MAX_HOPS 100	/* fields Received and Delivered-To; this many are too many */

struct trace_hop {
	struct span remote_host;	/* name or `unknown` */
	struct span remote_ip;
	struct span remote_info;	/* p NULL: none */
	struct span helo;		/* p NULL: none was given */
	struct span local_name;
	const char *protocol;		/* `SMTP`, `ESMTP`, `QMTP`, ... */
	int64_t time;
	bool hidden;			/* host and address stay out */
};

/* Appends (two lines)
 *   Received: from H (HELO X) (I@IP)\n  by L with P; 26 Sep 1995 04:46:54 -0000\n
 * or, if hidden, `Received: (HELO X) (I)`.
 * HELO only where it differs from the host name but for case.  Strange bytes become `?`. */
void trace_add_received(struct buf *to, const struct trace_hop *hop);
/* `Delivered-To: LOCAL@DOMAIN` LF; LF inside becomes `_`. */
void trace_add_delivered_to(struct buf *to, struct span local, struct span domain);
/* `Return-Path: <SENDER>` LF, the sender quoted; LF inside becomes `_`. */
void trace_add_return_path(struct buf *to, struct span sender);
/* `From SENDER Thu Nov 20 21:36:00 2025` LF, the line between messages of an mbox. */
void trace_add_from_line(struct buf *to, struct span sender, int64_t time);

/* Counts hops while a header passes by in pieces of any size.  {0} to start. */
struct trace_counter {
	char line[9];		/* first bytes of the current line, folded */
	size_t n;		/* bytes of the line seen, at most sizeof line */
	bool in_body;
	unsigned hops;
};
/* Text with LF line ends. */
void trace_count(struct trace_counter *c, const char *p, size_t n);

#endif
