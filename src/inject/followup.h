/* followup - Mail-Followup-To: for messages to mailing lists the author has subscribed to.  The
 * file that QMAILMFTFILE names holds one list address per line; # starts a remark. */
#ifndef INJECT_FOLLOWUP_H
#define INJECT_FOLLOWUP_H

#include <stdbool.h>

#include "inject/fault.h"
#include "inject/recips.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/set.h"

#define FOLLOWUP_FILE_MAX ((size_t)4 << 20)

struct followup {
	bool active;		/* there is such a file */
	struct set lists;
};

/* {0} to start; path NULL or a file that does not exist: stays inactive.  Relative to the current
 * directory.  FAULT_READ, FAULT_MEMORY. */
MUST_CHECK enum fault followup_load(struct followup *f, const char *path);
void followup_free(struct followup *f);
/* Is any of these addresses a list? */
bool followup_is_due(const struct followup *f, const struct recips *to);
/* Appends the field with all of them, last one first, one per line. */
void followup_write(const struct recips *to, struct buf *out);

#endif
