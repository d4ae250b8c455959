/* dialog - the commands of SMTP (RFC 5321) and their replies. */
#ifndef SMTP_DIALOG_H
#define SMTP_DIALOG_H

#include <stdbool.h>

#include "lib/attr.h"
#include "smtp/session.h"

/* Greets the client and serves it until the connection ends.  true: it said QUIT. */
MUST_CHECK bool dialog_run(struct session *s);

#endif
