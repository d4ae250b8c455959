/* smtpconf - what qmail-smtpd is told by control files and its environment. */
#ifndef SMTP_SMTPCONF_H
#define SMTP_SMTPCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "mail/intake.h"

struct smtpconf {
	struct buf greeting;		/* smtpgreeting, else me; no control bytes */
	bool has_local_ip_host;
	struct buf local_ip_host;	/* localiphost, else me; no control bytes */
	int64_t timeout_ms;		/* timeoutsmtpd */
	struct intake intake;
};

#define SMTPCONF_TIMEOUT_S 1200		/* if timeoutsmtpd is absent */

/* cwd = the home directory.  conf must be {0}.  -1: a control file cannot be used, or neither me
 * nor smtpgreeting exists; do not serve then.  Borrows from the environment. */
MUST_CHECK int smtpconf_read(struct smtpconf *conf);
void smtpconf_free(struct smtpconf *conf);

#endif
