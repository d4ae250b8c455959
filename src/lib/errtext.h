/* errtext - errno in the suite's own words (they appear in logs and bounces, so they must not
 * change with libc or locale), and which errors may pass by themselves. */
#ifndef LIB_ERRTEXT_H
#define LIB_ERRTEXT_H

#include <stdbool.h>

/* `file does not exist`, ...; `unknown error` for what has no text.  Static storage. */
const char *errtext(int error);
/* true: trying again later may help, so the failure is reported as temporary.  So are those without
 * a text, as the ones of a damaged disk are (EUCLEAN, EBADMSG, EREMOTEIO). */
bool errtext_temporary(int error);
/* Of open(2) or stat(2): does it mean that there is nothing of that name, or nothing of use?  Any
 * other error leaves it unknown, and nobody may be told that it is not there. */
bool errtext_absent(int error);

#endif
