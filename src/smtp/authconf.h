/* authconf - whether and how clients of qmail-smtpd may authenticate: its arguments and
 * environment.
 *
 *	qmail-smtpd mail.example.org vchkpw true	challenges say @mail.example.org
 *	qmail-smtpd vchkpw true
 *	qmail-smtpd					with SMTPAUTH set: our own checker
 *
 * The first form is meant by a first argument without a slash and two more.  A mistake about it
 * would make `true` the checker, who believes everybody: so where both could be meant, and where
 * the checker is `true`, there is no AUTH and a line in the log.  If AUTH is required, no mail is
 * taken then, nor if no checker is named. */
#ifndef SMTP_AUTHCONF_H
#define SMTP_AUTHCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"

#define AUTHCONF_CHECKER QMAIL_HOME "/bin/checkpassword-smtp"
#define AUTHCONF_PROGRAM "/bin/true"
#define AUTHCONF_DELAY_MS (INT64_C(5) * 1000)	/* before a refusal */
#define AUTHCONF_CHECKER_MAX_MS (INT64_C(60) * 1000)	/* for a checker, then it is killed */

struct authconf {
	bool configured;		/* somebody wants AUTH: it has replies, even if off */
	bool password;			/* LOGIN and PLAIN */
	bool cram;			/* CRAM-MD5 */
	bool required;			/* nothing is taken without it */
	bool encrypted_only;
	bool old_lines;			/* as in the first form: two lines, other order */
	bool challenge_first;		/* the oldest order of the checker's fields */
	bool log;			/* descriptor 2 is not the client */
	const char *host;		/* of challenges; NULL = as the environment says */
	const char *flaw;		/* why there is none although asked for; NULL = none */
	int64_t delay_ms, checker_ms;
	/* Of LOGIN and PLAIN, and of CRAM-MD5; NULL-terminated. */
	char *const *checker, *const *cram_checker;
	char *pair[2][3];		/* where `checker sub checker sub` is cut */
	char own[2][sizeof AUTHCONF_CHECKER + sizeof AUTHCONF_PROGRAM];
};

/* args: the program's arguments without its name, NULL-terminated; borrowed, as the environment
 * is.  *a must be {0} and may not be moved afterwards.  cwd = the home directory. */
void authconf_read(struct authconf *a, char *args[]);

#endif
