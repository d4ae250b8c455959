/* password - is it the right one?  It takes as long to say no as to say yes, also for who does not
 * exist. */
#ifndef POP3_PASSWORD_H
#define POP3_PASSWORD_H

#include <stdbool.h>

#include "lib/attr.h"

/* Three answers: it is right, it is not, nobody knows. */
enum verdict { VERDICT_GOOD, VERDICT_BAD, VERDICT_UNKNOWN };

/* hash: as in crypt(5); NULL, and what cannot begin one, is never right.  like: a hash that costs
 * what one of these users costs, for the work in that case; NULL: the system's usual kind. */
MUST_CHECK enum verdict password_compare(const char *password, const char *hash,
    const char *like);

/* Is digest the APOP (RFC 1939, 7) or CRAM-MD5 (RFC 2195) answer to the challenge by who knows the
 * secret?  Both in 32 lower case letters. */
MUST_CHECK bool password_is_digest(const char *digest, const char *challenge,
    const char *secret);

#endif
