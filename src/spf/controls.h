/* controls - the administrator's policy for SPF, from control/. */
#ifndef SPF_CONTROLS_H
#define SPF_CONTROLS_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "spf/check.h"

struct spf_controls {
	struct buf rules, guess, explain;
};

/* cwd = the home directory.  Reads spfrules (or spflocalrules), spfguess and spfexp (or
 * spfexplain); each is one line and may begin with `v=spf1`.  *c must be {0}; *policy borrows
 * from it.  NULL, or the name of a file that cannot be read or is malformed; errno is 0 for the
 * latter. */
MUST_CHECK const char *spf_controls_read(struct spf_controls *c, struct spf_policy *policy);
void spf_controls_free(struct spf_controls *c);

#endif
