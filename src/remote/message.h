/* message - the message on a descriptor, readable again from its start if the descriptor is a file
 * or the message is short. */
#ifndef REMOTE_MESSAGE_H
#define REMOTE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/span.h"

#define MESSAGE_PIECE ((size_t)65536)

struct message {
	int fd;
	off_t start;		/* where it begins; -1: cannot be sought */
	size_t n;		/* bytes in buf, */
	size_t most;		/* and the most that have been */
	bool loaded;		/* buf holds the first piece */
	bool ended;		/* buf holds the last piece */
	bool given;		/* message_next gave out what is in buf */
	bool failed;		/* reading it did, and does from then on */
	char buf[MESSAGE_PIECE];
};

enum message_status { MESSAGE_OK, MESSAGE_END, MESSAGE_ERROR };

/* The message begins where fd stands.  Reads nothing yet. */
void message_open(struct message *m, int fd);
/* Leaves nothing of it in the memory of *m, which is good for nothing else then. */
void message_wipe(struct message *m);
/* The next piece, borrowed until the next call. */
MUST_CHECK enum message_status message_next(struct message *m, struct span *piece);
/* Back to the start.  false: it has gone by. */
MUST_CHECK bool message_rewind(struct message *m);

/* What a server may want to know before (RFC 1870, RFC 6152). */
struct message_facts {
	bool known;		/* else the message had to be read from a pipe and is long */
	uint64_t wire_size;	/* octets with CRLF, without doubled dots and the final dot */
	bool eight_bit;		/* a byte above 127; true when not known */
};
/* Reads it all, if it can be read again, and goes back to the start. */
MUST_CHECK enum message_status message_scan(struct message *m, struct message_facts *facts);

/* Has its header bytes above 127, and did it come by SMTP with SMTPUTF8 (RFC 6531)?  That is so if
 * the first Received field with a protocol in it has `with UTF8SMTP`, `UTF8SMTPSA` and the like; it
 * must be in the first piece.  Goes back to the start; true, too, if the rest of such a header
 * cannot be looked at; false if reading fails, which whoever reads next is told. */
bool message_has_utf8_header(struct message *m, bool *came_with_utf8);

#endif
