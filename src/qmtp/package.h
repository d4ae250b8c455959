/* package - one message of a QMTP connection, which is called a package there. */
#ifndef QMTP_PACKAGE_H
#define QMTP_PACKAGE_H

#include <stddef.h>

#include "mail/intake.h"
#include "qmtp/wire.h"

/* Recipients of one package that are looked at; the others are told to come later.  In
 * qmail-limits(7). */
#define PACKAGE_RECIPIENTS_MAX ((size_t)10000)

/* Reads a package and answers for each of its recipients.  w->status tells whether another one may
 * follow; WIRE_GONE is the usual end. */
void package_receive(struct wire *w, const struct intake *intake);

#endif
