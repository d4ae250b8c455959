/* authstrip - takes out of a message's header what strangers say in our name: each field
 * Authentication-Results with our id, and each whose id cannot be told (RFC 8601, 5).
 *
 *	struct authstrip f;
 *	authstrip_begin(&f, id);
 *	authstrip_text(&f, piece, &out) ...	text with LF line ends
 *	authstrip_end(&f, &out);
 *	authstrip_free(&f);
 *
 * The header ends with the first empty line, whatever its other lines are.  A CR ends a line, too,
 * as it does for some readers; what goes takes no LF with it that ends the line of others. */
#ifndef MAIL_AUTHSTRIP_H
#define MAIL_AUTHSTRIP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/span.h"

#define AUTHSTRIP_FIELD_MAX ((size_t)8192)	/* bytes of such a field; longer ones go */

enum authstrip_state {
	AUTHSTRIP_START, AUTHSTRIP_NAME, AUTHSTRIP_PASS, AUTHSTRIP_HOLD, AUTHSTRIP_BODY
};

/* {0} or after authstrip_free: nothing to strip, not to be used. */
struct authstrip {
	struct span id;			/* borrowed */
	enum authstrip_state state;
	struct buf held;		/* what may be such a field */
	size_t colon;			/* it is one, and its value begins here; 0: not yet clear */
	bool too_long;
	bool cr;			/* the line before has ended with CR */
	bool inside;			/* so it was when the held one began */
	char last;			/* byte of the held one */
};

void authstrip_begin(struct authstrip *f, struct span id);
/* Appends to *out what remains. */
void authstrip_text(struct authstrip *f, struct span text, struct buf *out);
/* After the last piece. */
void authstrip_end(struct authstrip *f, struct buf *out);
void authstrip_free(struct authstrip *f);

/* Is this value of such a field, which may have LF in it, ours, or nobody's? */
bool authstrip_claims(struct span value, struct span id);

#endif
