/* popusers - logins of the users in users/poppasswd.cdb, with passwords or, where they are also in
 * users/popsecrets.cdb, digests (mail/poppasswd.h). */
#ifndef POP3_POPUSERS_H
#define POP3_POPUSERS_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "mail/poppasswd.h"
#include "pop3/login.h"
#include "pop3/password.h"

/* VERDICT_GOOD: *user is filled in and borrows from *record.  VERDICT_UNKNOWN: no database, or it
 * cannot be read or is damaged.  A user whose hash begins with ! is locked, for digests, too. */
MUST_CHECK enum verdict popusers_check(const struct login *l, struct poppasswd *user,
    struct buf *record);

#endif
