/* rewrite - how addresses without a full host name are completed here: control files and the
 * variables that override them, read once per message. */
#ifndef INJECT_REWRITE_H
#define INJECT_REWRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "inject/fault.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "mail/hdr5322.h"

struct rewrite {
	struct hdr5322_rules rules;
	struct buf id_host;		/* right side of a Message-ID */
	bool local_time;		/* in Date; control/localtime or QMAILLOCALTIME */
	uint64_t max_recipients;	/* control/injectmaxrcpt; 0: only RECIPS_MAX limits */
};

/* The home directory must be the current one.  FAULT_READ if any of the files cannot be read,
 * though a variable may override it; FAULT_LINE: *detail becomes the value with the syntax
 * error, with the . or @ that goes in front of it. */
MUST_CHECK enum fault rewrite_load(struct rewrite *r, struct buf *detail);
void rewrite_free(struct rewrite *r);

/* Replaces *envelope by the completed form of a raw address (inject/address.h).  FAULT_ADDRESS:
 * its domain cannot be parsed, or it cannot stand in an envelope. */
MUST_CHECK enum fault rewrite_address(const struct rewrite *r, struct span raw,
    struct buf *envelope);

#endif
