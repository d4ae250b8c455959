/* alabel - names of domains in the one form in which they can be compared: labels in UTF-8 become
 * A-labels (`xn--`, RFC 5890, Punycode by RFC 3492).
 *
 * This needs no tables of Unicode, because nothing is mapped and nothing is refused: whether there
 * can be such a name only who asks the name system finds out (net/idn.h).  For two names that can
 * exist: they are the same if and only if these forms are, but for the case of A-Z.  What can not,
 * capitals beyond A-Z for example, is equal to nothing that can. */
#ifndef LIB_ALABEL_H
#define LIB_ALABEL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/span.h"

#define ALABEL_NAME_MAX ((size_t)1024)	/* bytes of the result; above any address of SMTP */
#define ALABEL_LABEL_MAX ((size_t)63)	/* bytes of a label, RFC 1035, 2.3.4 */

/* A domain, .domain, @domain or address; of an address what follows the last @ is the domain.
 * Returns name if it is US-ASCII or has no such form (no UTF-8, too long), otherwise the form,
 * which is in room. */
struct span alabel_fold(struct span name, char room[ALABEL_NAME_MAX]);
/* Is it the same domain? */
bool alabel_ieq(struct span a, struct span b);

#endif
