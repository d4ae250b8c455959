/* smtpconf - what qmail-smtpd is told by control files and its environment. */
#ifndef SMTP_SMTPCONF_H
#define SMTP_SMTPCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "mail/intake.h"
#include "smtp/authconf.h"
#include "smtp/lists.h"
#include "smtp/mailpolicy.h"
#include "smtp/plugins.h"
#include "smtp/results.h"
#include "smtp/rules.h"
#include "smtp/validrcpt.h"

struct smtpconf {
	struct ctlnames names;		/* of the control files */
	struct buf greeting;		/* SMTPGREETING, smtpgreeting or me; no control bytes */
	bool has_local_ip_host;
	struct buf local_ip_host;	/* localiphost, else me; no control bytes */
	int64_t timeout_ms;		/* timeoutsmtpd */
	struct intake intake;
	struct authconf auth;
	struct lists lists;
	struct mailpolicy mailpolicy;
	struct rules rules;
	struct plugins plugins;
	struct validrcpt validrcpt;
	struct resultsconf results;
	struct buf complaints;		/* lines about lists that cannot be used */
	unsigned log_styles;		/* smtp/smtplog.h */
};

#define SMTPCONF_TIMEOUT_S 1200		/* if timeoutsmtpd is absent */

/* args: the program's arguments without its name.  cwd = the home directory.  conf must be {0} and
 * stays where it is.  -1: a control file cannot be used, or neither me
 * nor smtpgreeting exists; do not serve then.  Borrows from the environment. */
MUST_CHECK int smtpconf_read(struct smtpconf *conf, char *args[]);
/* What checks and limits are told by them, once more: variables have changed.  What cannot be used
 * in lists is not complained of again.  -1 as above; the session must end then. */
MUST_CHECK int smtpconf_read_again(struct smtpconf *conf);
void smtpconf_free(struct smtpconf *conf);

/* A number: the variable if it is set (without digits: 0), else the file's, else *value stays.
 * Both may be NULL.  Cut to max.  -1: the file cannot be read. */
MUST_CHECK int smtpconf_number(const struct ctlnames *names, const char *variable,
    const char *file, uint64_t max, uint64_t *value);

#endif
