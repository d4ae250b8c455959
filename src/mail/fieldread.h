/* fieldread - the fields of a message's header, one after the other.
 *
 *	struct fieldread r = FIELDREAD(&in);
 *	while ((status = fieldread_next(&r)) == IO_OK)
 *		use r.id, r.field, r.rest
 *	fieldread_free(&r);
 *
 * `Subject: two\n lines\n` gives id FIELD_SUBJECT, field `Subject: two\n lines`, rest
 * ` two\n lines`.  Which line is what: mail/field.h. */
#ifndef MAIL_FIELDREAD_H
#define MAIL_FIELDREAD_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "mail/field.h"

#define FIELDREAD_MAX ((size_t)1 << 20)	/* bytes of a field; longer ones are passed over */

struct fieldread {
	struct io_in *in;		/* borrowed */
	enum field_id id;
	struct buf field;		/* lines as they came, LF between them */
	struct span rest;		/* what of it follows the colon */
	struct buf line;		/* read ahead; at the end the first one behind the header */
	bool ahead;			/* there is such a line (empty: the one between) */
};

#define FIELDREAD(from) { .in = (from), .field = BUF_CAP(FIELDREAD_MAX), \
	.line = BUF_CAP(FIELDREAD_MAX) }

/* IO_OK: there is one.  IO_EOF: the header is over, and so is the input unless `ahead` is set.
 * IO_ERROR: errno (ENOMEM: out of memory).  Others: as `in` has limits in time. */
MUST_CHECK enum io_status fieldread_next(struct fieldread *r);
void fieldread_free(struct fieldread *r);

#endif
