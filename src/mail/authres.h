/* authres - the field Authentication-Results (RFC 8601): what is said in it, and who says it.
 *
 * Programs hand results on in $QMAILAUTHENTICATED, with `; ` between them, and qmail-queue makes
 *
 *	Authentication-Results: mx.example.org;
 *		auth=pass (plain) smtp.auth=joe@a.example;
 *		spf=pass (mx.example.org: ...) smtp.mailfrom=joe@a.example
 *
 * of it.  Who runs qmail-queue chooses that variable, so nothing in it can begin another field. */
#ifndef MAIL_AUTHRES_H
#define MAIL_AUTHRES_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctl.h"
#include "lib/ctlnames.h"
#include "lib/span.h"

#define AUTHRES_VARIABLE "QMAILAUTHENTICATED"
#define AUTHRES_NAME "Authentication-Results"
#define AUTHRES_MAX ((size_t)2000)	/* bytes of all results; longer ones are no results */
#define AUTHRES_ID_MAX ((size_t)255)
#define AUTHRES_VALUE_MAX ((size_t)256)	/* bytes of a value, quoted */

/* The name of who says it: control/authservid, if there is one that is not empty, else me.  names:
 * NULL = both may be there.  CTL_FOUND, or CTL_ERROR with errno and *unread: EINVAL if it is not 1
 * to AUTHRES_ID_MAX letters, digits, dots, dashes and underscores. */
MUST_CHECK enum ctl_status authres_id(const struct ctlnames *names, struct buf *id,
    const char **unread);

/* Appends one more result. */
void authres_add(struct buf *results, struct span result);
/* Appends ` NAME=VALUE`, quoted if need be; nothing for a value that is empty, too long, or has
 * bytes outside 32..126. */
void authres_add_property(struct buf *result, const char *name, struct span value);

/* Appends the field with a LF at its end.  Other bytes than 32..126 become `?`; a line ends behind
 * each result.  false, and nothing: there are no results, or they are too long. */
bool authres_put_field(struct buf *to, struct span id, struct span results);

#endif
