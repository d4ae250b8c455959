/* handlers - obeying one instruction.  Each handler begins with the message (descriptor 0) at its
 * start, and has said what went wrong on descriptor 2 when it returns anything but CODE_OK. */
#ifndef LOCAL_HANDLERS_H
#define LOCAL_HANDLERS_H

#include "lib/attr.h"
#include "local/delivery.h"

MUST_CHECK int handle_maildir(const struct delivery *d, const char *dir);
MUST_CHECK int handle_mbox(const struct delivery *d, const char *path);
/* CODE_STOP: the program wants the remaining instructions to be skipped.  Whether its end is
 * permanent or temporary is decided by one table (qmail-command(8)). */
MUST_CHECK int handle_program(const char *command);
/* Sends the message to all forward lines among the first `end` bytes of the instructions.  *qp
 * becomes the process id of the queue program. */
MUST_CHECK int handle_forward(const struct delivery *d, size_t end, long *qp);
/* `Out of memory. (#4.3.0)`; the code for it. */
int handle_no_memory(void);

#endif
