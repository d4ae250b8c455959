/* address - what callers pass as sender or recipient, made a raw address: local part byte by byte
 * (no quoting), @, domain; completing it is rewrite's work.
 *
 *	`a b@c.d`, `a,b@c.d`	raw already	(recipients of sendmail: two addresses)
 *	`"a b"@c.d`		a b@c.d
 *	`<@x:a b@c.d>`		a b@c.d
 *	`<>`			empty; as a recipient of sendmail it is an error
 */
#ifndef INJECT_ADDRESS_H
#define INJECT_ADDRESS_H

#include <stdbool.h>

#include "inject/fault.h"
#include "inject/recips.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

/* All return FAULT_NONE, FAULT_ADDRESS (cannot be parsed, or holds CR or LF) or FAULT_MEMORY. */

/* The value of -f and -r: replaces *raw.  A value that ends in > and holds < is read as one
 * address of a header, name allowed. */
MUST_CHECK enum fault address_sender(struct span value, struct buf *raw);
/* A recipient argument of qmail-inject: replaces *raw. */
MUST_CHECK enum fault address_recipient(struct span arg, struct buf *raw);
/* A recipient argument of sendmail, a list if it holds one of < " ( , and raw otherwise.  Adds at
 * least one address, from left to right. */
MUST_CHECK enum fault address_recipients(struct span arg, struct recips *to);

/* May it stand in an envelope and in a header?  No NUL, CR, LF. */
bool address_is_clean(struct span address);

#endif
