/* generate - the fields that a message must have and that its author left out. */
#ifndef INJECT_GENERATE_H
#define INJECT_GENERATE_H

#include <stdint.h>
#include <sys/types.h>

#include "inject/fault.h"
#include "inject/followup.h"
#include "inject/header.h"
#include "inject/request.h"
#include "inject/rewrite.h"
#include "lib/attr.h"
#include "lib/buf.h"

struct generate {
	const struct request *request;
	const struct rewrite *rewrite;
	const struct header *header;
	const struct followup *followup;
	int64_t start;		/* when the program began */
	pid_t pid;
};

/* Appends Date, Message-ID, From, Cc (or their Resent- twins) and Mail-Followup-To as far as they
 * are wanted:
 *	Date: 26 Sep 1995 04:46:53 -0000
 *	Message-ID: <19950926044653.4711.0123456789abcdef.qmail@IDHOST>
 *	From: "Joe" <joe@a.example>
 *	Cc: recipient list not shown: ;
 * FAULT_MEMORY; FAULT_LINE: the host for From cannot be parsed. */
MUST_CHECK enum fault generate_fields(const struct generate *g, struct buf *to,
    struct buf *detail);

#endif
