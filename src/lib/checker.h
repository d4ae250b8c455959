/* checker - running a password checker, as qmail-popup and qmail-smtpd do it (checkpassword(8)):
 * the program reads from descriptor 3 to its end
 *
 *	user NUL password NUL NUL				USER and PASS, LOGIN, PLAIN
 *	user NUL digest NUL <4711.1700000000@host> NUL		APOP, CRAM-MD5
 *
 * and runs its arguments if the login is right, so that its exit code is theirs. */
#ifndef LIB_CHECKER_H
#define LIB_CHECKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/deadline.h"
#include "lib/span.h"

/* None of them may hold a NUL. */
struct checker_login {
	struct span user, secret, third;
};

enum checker_verdict {
	CHECKER_YES,
	CHECKER_NO,		/* any exit code but 0 and 111 */
	CHECKER_BUSY,		/* 111: nobody knows */
	CHECKER_KILLED,		/* by a signal */
	CHECKER_SILENT,		/* it did not end in time, and was killed, if we may do that */
	CHECKER_DEAF,		/* 0, but it never looked at the login: no checker at all */
	CHECKER_NO_PIPE,	/* it was not started: pipe or memory */
	CHECKER_NO_START	/* fork or exec */
};

struct checker {
	char *const *argv;	/* looked for in PATH */
	/* It only decides: 0 is /dev/null and 1 our 2, both 1 and 2 /dev/null where our 2 is the
	 * client; a session of its own; CHECKER_DEAF.  Else it takes over our client. */
	bool decides;
	int64_t wait_ms;	/* DEADLINE_NONE: as long as it takes */
	pid_t pid;
	int pipe;		/* what it has not read; -1: not open */
	size_t given;
};

/* CHECKER_YES: it runs and has its login; checker_finish must follow.  Secrets are not left in
 * memory. */
MUST_CHECK enum checker_verdict checker_start(struct checker *c, const struct checker_login *l);
MUST_CHECK enum checker_verdict checker_finish(struct checker *c);

#endif
