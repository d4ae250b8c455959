/* asciienvelope - an envelope for servers without SMTPUTF8: domains become A-labels, which is all
 * that may be changed (RFC 6531, 3.2); local parts in UTF-8 have no other form. */
#ifndef REMOTE_ASCIIENVELOPE_H
#define REMOTE_ASCIIENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

struct asciienvelope {
	struct buf text;
	struct span sender;
	struct span *recipients;	/* as many as were given; p NULL: has no such form */
};

enum asciienvelope_status {
	ASCIIENVELOPE_OK,
	ASCIIENVELOPE_NONE,	/* the sender, or every recipient, has no such form */
	ASCIIENVELOPE_MEMORY
};

/* Is any of these addresses not US-ASCII? */
bool asciienvelope_is_foreign(struct span sender, const struct span *recipients, size_t n);
/* Addresses as in commands, n is 1 or more; *e {0}. */
MUST_CHECK enum asciienvelope_status asciienvelope_make(struct asciienvelope *e,
    struct span sender, const struct span *recipients, size_t n);
void asciienvelope_free(struct asciienvelope *e);

#endif
