/* tool - what the small programs for .qmail lines share: asking another program, and sending the
 * message on.  Their messages begin with `NAME: fatal: `. */
#ifndef LOCAL_TOOL_H
#define LOCAL_TOOL_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/span.h"

/* Makes sure that 0, 1 and 2 are open, for a program that reads a message: without one (descriptor
 * 0 is closed) it must fail, not go on with nothing.  CODE_OK, or CODE_TEMP, said why. */
MUST_CHECK int tool_start(const char *name);

#define TOOL_YES (-1)
/* Runs a program found through PATH with our descriptors.  TOOL_YES: it exited 0.  CODE_TEMP, said
 * why: it exited 111, crashed or could not be started for lack of something.  CODE_OK: any other
 * code, also if there is no such program. */
MUST_CHECK int tool_ask(const char *name, char *const argv[]);

/* The variable, or NULL after `NAME: fatal: VARIABLE not set`. */
const char *tool_variable(const char *name, const char *variable);

/* Queues dtline and the rest of descriptor 0 for the recipients (NULL at the end).  CODE_OK after
 * `NAME: qp N` on descriptor 2; else CODE_PERM or CODE_TEMP, said why, and nothing is queued. */
MUST_CHECK int tool_forward(const char *name, const char *sender, const char *dtline,
    char *const recipients[]);

#endif
