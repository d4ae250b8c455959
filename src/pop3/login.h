/* login - what a password checker is given on descriptor 3 (lib/checker.h), and what it becomes. */
#ifndef POP3_LOGIN_H
#define POP3_LOGIN_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/attr.h"

/* Exit codes besides CODE_OK and CODE_TEMP. */
#define LOGIN_REFUSED 1
#define LOGIN_MISUSED 2

#define LOGIN_INPUT_MAX ((size_t)512)

struct login {
	char input[LOGIN_INPUT_MAX + 2];	/* one more tells that it was too long; a NUL */
	const char *name, *password;		/* in input, with their NULs */
	const char *third;			/* challenge of a digest; "" if there is none */
};

/* Reads and closes descriptor 3.  CODE_OK, or the code to exit with: LOGIN_REFUSED above the limit,
 * LOGIN_MISUSED if name or password do not end or the descriptor is not open, CODE_TEMP. */
MUST_CHECK int login_read(struct login *l);

struct login_target {
	uid_t uid;
	gid_t gid;
	const char *user, *home, *shell;
	const char *maildir;		/* NULL: MAILDIR is left alone */
};

/* Becomes the user, without other groups, in the home directory, with USER, HOME, SHELL (and
 * MAILDIR), and runs the program, looked for in PATH.  Returns only if that fails. */
void login_become(const struct login_target *t, char *const argv[]);

#endif
