/* errtext - errno in the suite's own words (they appear in logs and bounces, so they must not
 * change with libc or locale), and which errors may pass by themselves. */
#ifndef LIB_ERRTEXT_H
#define LIB_ERRTEXT_H

#include <stdbool.h>

/* `file does not exist`, ...; `unknown error` for what has no text.  Static storage. */
const char *errtext(int error);
/* true: trying again later may help, so the failure is reported as temporary. */
bool errtext_temporary(int error);

#endif
