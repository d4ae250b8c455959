/* exists - does anybody get the mail for this address?
 *
 * Decides as qmail-todo, qmail-lspawn and qmail-local would, up to the file with the instructions,
 * which is not obeyed: locals, percenthack and virtualdomains; users/cdb, else the accounts; then
 * the .qmail files of that directory.  A .qmail-default that says `bounce-no-mailbox` leaves it to
 * the vpasswd.cdb beside it (users/vpasswd.h), and to directories of ezmlm lists.
 *
 * What may not be looked at exists: it may refuse the message later. */
#ifndef USERS_EXISTS_H
#define USERS_EXISTS_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "mail/rcptask.h"
#include "mail/route.h"

#define EXISTS_FILE_MAX ((size_t)1 << 20)	/* bytes of a .qmail file that is looked into */
#define EXISTS_INSTRUCTIONS ((size_t)1023)	/* bytes in which the word may stand */

struct exists {
	struct routes routes;
	struct buf envnoathost;
};

/* The control files; cwd = the home directory.  -1: one of them cannot be read. */
MUST_CHECK int exists_read(struct exists *e);
void exists_free(struct exists *e);
/* Changes the working directory. */
enum rcptask_answer exists_check(const struct exists *e, const struct rcptask *q);

#endif
