/* steps - one local delivery from its operands to its end: home directory, loop check, `.qmail`
 * file, instructions. */
#ifndef LOCAL_STEPS_H
#define LOCAL_STEPS_H

#include "lib/attr.h"
#include "local/delivery.h"

#define STEPS_DECLINED (-1)

/* The message is on descriptor 0, a seekable file; reports go to 1 (success) and 2 (trouble); the
 * current directory becomes the home directory.  The exit code, or for a delivery that must be
 * simple STEPS_DECLINED: its instructions are not only Maildirs, and nothing has been done. */
MUST_CHECK int steps_run(struct delivery *d);

#endif
