/* idn - names of domains with letters beyond US-ASCII, as the name system has them: IDNA2008 with
 * the mapping of UTS 46, non-transitional (RFC 5891; RFC 6531, 3.7.1).  Case, normal form and the
 * full stops of other scripts are libidn2's work, whose tables are those of Unicode.
 * Examples: `Bücher.example` -> `xn--bcher-kva.example`, `straße.example` ->
 * `xn--strae-oqa.example`. */
#ifndef NET_IDN_H
#define NET_IDN_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

enum idn_status {
	IDN_OK,
	IDN_NONE,	/* no such name can exist; also: built without libidn2 */
	IDN_MEMORY
};

/* Has it a byte that is not US-ASCII? */
bool idn_is_foreign(struct span name);
/* The name as it is asked for, appended to *to; US-ASCII stays as it is. */
MUST_CHECK enum idn_status idn_add_ascii(struct span name, struct buf *to);

#endif
