/* params - what may follow the address of MAIL and RCPT (RFC 5321, 4.1.2; RFC 1870; RFC 4954;
 * RFC 6152). */
#ifndef SMTP_PARAMS_H
#define SMTP_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"

enum params_status { PARAMS_OK, PARAMS_BAD };

struct mail_params {
	uint64_t size;		/* SIZE=, bytes on the wire; 0 = not declared */
	bool utf8;		/* SMTPUTF8 (RFC 6531, 3.4) */
	bool auth;		/* AUTH= was there (RFC 4954, 5); nothing believes it */
};

/* text: the bytes after `>`, e.g. ` SIZE=1234 BODY=8BITMIME`.  Unknown and malformed parameters
 * are PARAMS_BAD alike.  A size beyond uint64_t is cut to its maximum. */
MUST_CHECK enum params_status params_mail(struct span text, struct mail_params *p);
/* No parameter of RCPT is offered: nothing but spaces. */
MUST_CHECK enum params_status params_rcpt(struct span text);

#endif
