/* poppasswd - users that are no accounts of the system: lines of users/poppasswd, and the records
 * of users/poppasswd.cdb, which qmail-newpw makes of them.
 *
 *	info:$6$...:popuser:/var/qmail/mailnames/a.example/info
 *	joe@a.example:$y$...:5001:5001:/home/mail/joe:Maildir
 *
 * The record of a name is what follows its colon.  The record of the empty name is a hash whose
 * work stands for that of the others. */
#ifndef MAIL_POPPASSWD_H
#define MAIL_POPPASSWD_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"

#define POPPASSWD_SOURCE "users/poppasswd"
#define POPPASSWD_DATABASE "users/poppasswd.cdb"
/* Lines `name:secret`, the secret in clear, for APOP and CRAM-MD5. */
#define POPSECRETS_SOURCE "users/popsecrets"
#define POPSECRETS_DATABASE "users/popsecrets.cdb"

struct poppasswd {
	struct span hash;	/* crypt(5); empty, or not beginning as one: no password is right */
	struct span account;	/* whose ids; empty: those that follow */
	uint32_t uid, gid;	/* never 0 */
	struct span home;	/* absolute */
	struct span maildir;	/* empty in the first form */
};

/* What is wrong with a record, in words; NULL: nothing, *p borrows from it. */
MUST_CHECK const char *poppasswd_parse(struct span record, struct poppasswd *p);

#endif
