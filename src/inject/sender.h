/* sender - the envelope sender, and the From field made from the same variables. */
#ifndef INJECT_SENDER_H
#define INJECT_SENDER_H

#include <stdint.h>
#include <sys/types.h>

#include "inject/fault.h"
#include "inject/header.h"
#include "inject/request.h"
#include "inject/rewrite.h"
#include "lib/attr.h"
#include "lib/buf.h"

/* The value of -f in envelope form.  FAULT_LINE with the address in *detail. */
MUST_CHECK enum fault sender_from_option(const struct request *q, const struct rewrite *w,
    struct buf *sender, struct buf *detail);
/* Without -f: Return-Path, or user and host (QMAILINJECT letters m and r).  start: when the
 * program began, pid: its id. */
MUST_CHECK enum fault sender_default(const struct request *q, const struct rewrite *w,
    const struct header *h, int64_t start, pid_t pid, struct buf *sender, struct buf *detail);
/* Appends the field `NAME: "Full Name" <user@host>` (NAME: From or Resent-From). */
MUST_CHECK enum fault sender_write_from(const struct request *q, const struct rewrite *w,
    const char *name, struct buf *to, struct buf *detail);

#endif
