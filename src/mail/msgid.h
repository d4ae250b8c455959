/* msgid - Message-IDs that no other message has (RFC 5322, 3.6.4).
 *
 *	<19950926044653.4711.0123456789abcdef.qmail@IDHOST> */
#ifndef MAIL_MSGID_H
#define MAIL_MSGID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/buf.h"
#include "lib/span.h"

/* Appends one, with < and >: time, process id, 64 random bits, host (as it is). */
void msgid_add(struct buf *to, int64_t time, pid_t pid, struct span host);
/* May it stand between @ and >? */
bool msgid_is_host(struct span host);

#endif
