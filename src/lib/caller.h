/* caller - who has started a set-uid program: whom it serves is a matter of the real uid. */
#ifndef LIB_CALLER_H
#define LIB_CALLER_H

#include <stdbool.h>

#include "lib/attr.h"

/* root, or nobody gets rights by starting it: the set-uid bit is off, or the account its own. */
MUST_CHECK bool caller_gains_nothing(void);
/* The account of this name; false also if it cannot be looked up. */
MUST_CHECK bool caller_is(const char *name);
/* Somebody who talks to the network for us: qmaild, the accounts in control/tlsusers (`vpopmail`
 * without that file; nobody, if it cannot be read), and whoever gains nothing.
 * cwd = the home directory. */
MUST_CHECK bool caller_is_server(void);

#endif
