/* validrcpt - lists of the recipients that exist, in two forms that patches have.
 *
 * control/validrcptto, or the file that VALIDRCPTTO names, and control/morevalidrcptto.cdb, or
 * MOREVALIDRCPTTO_CDB, with keys `u@x.org`, `@x.org`, `-u@x.org`, `-@x.org`: the first of these
 * forms that is listed decides, `-` means no; a recipient that is in none is left to others.
 *
 * VALIDRCPTTO_CDB with keys `u@x.org`, `u-default@x.org`, `@x.org` and values that mean no if they
 * begin with `-`: a recipient that is not found does not exist.
 *
 * A recipient without a domain is looked up as one of control/envnoathost (default: me), where its
 * mail goes; postmaster is not looked up. */
#ifndef SMTP_VALIDRCPT_H
#define SMTP_VALIDRCPT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/cdbmap.h"
#include "lib/ctlnames.h"
#include "lib/set.h"
#include "smtp/reply.h"

#define VALIDRCPT_REFUSED_MAX 10	/* of VALIDRCPTTO_CDB, where VALIDRCPTTO_LIMIT is not set */

struct validrcpt {
	bool listed;			/* the first form */
	struct set list;
	struct cdbmap *more;		/* or NULL */
	struct cdbmap *all;		/* the second form, or NULL */
	uint64_t limit, log;
};

struct session;

/* cwd = the home directory; *v {0}.  -1: a file that is there, or named, cannot be used. */
MUST_CHECK int validrcpt_read(struct validrcpt *v, const struct ctlnames *names);
void validrcpt_free(struct validrcpt *v);

/* A check (smtp/checks.h). */
MUST_CHECK enum reply validrcpt_find(struct session *s, struct buf *recipient);

#endif
