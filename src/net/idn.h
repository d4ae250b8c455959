/* idn - names of domains with letters beyond US-ASCII, as the name system has them: IDNA2008
 * (RFC 5891, 5; RFC 6531, 3.7.1), with the tables of libidn2.
 * Lists compare names by lib/alabel.h, so nothing is mapped (no UTS 46): a domain has one form with
 * U-labels alone, in normal form C, and one with A-labels alone, and case matters in neither for
 * A-Z.  Every other name is none: capitals beyond US-ASCII, letters of full width, soft hyphens,
 * full stops of other scripts, U-labels beside A-labels.
 * Examples: `Bücher.example` -> `xn--bcher-kva.example`, `straße.example` ->
 * `xn--strae-oqa.example`; `BÜCHER.example`, `ü.xn--bcher-kva`: IDN_NONE. */
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
/* The name as it is asked for, appended to *to; US-ASCII stays as it is.  *to may be whole after
 * IDN_MEMORY. */
MUST_CHECK enum idn_status idn_add_ascii(struct span name, struct buf *to);

#endif
