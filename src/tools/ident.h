/* ident - asks the host at the other end of a TCP connection whose connection it is (RFC 1413). */
#ifndef TOOLS_IDENT_H
#define TOOLS_IDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"

#define IDENT_USER_MAX ((size_t)998)	/* bytes taken of the answer */
#define IDENT_ANSWER_MAX ((size_t)4096)	/* bytes looked at in all */

struct ident_connection {
	struct ip local, remote;
	uint16_t local_port, remote_port;
};

/* Asks port 113 of c->remote; each step may take timeout_ms.  true: *user is replaced by what it
 * says, arbitrary bytes. */
MUST_CHECK bool ident_ask(const struct ident_connection *c, int64_t timeout_ms, struct buf *user);
/* The user in an answer line (without its LF): all behind the third colon, without SP, TAB and CR
 * anywhere, cut at the maximum.  `4004 , 25 : USERID : UNIX : joe` gives `joe`.  false: fewer
 * colons.  Replaces *user. */
MUST_CHECK bool ident_parse(struct span line, struct buf *user);

#endif
