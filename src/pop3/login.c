/* login - what a password checker is given on descriptor 3, and what it becomes. */
#include "pop3/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sys.h"

#define INPUT_FD 3

extern char **environ;

/* The string at p, if it ends before `end`; NULL else. */
static const char *
next_string(const char *p, const char *end)
{
	const char *nul = p < end ? memchr(p, '\0', (size_t)(end - p)) : NULL;

	return nul ? nul + 1 : NULL;
}

int
login_read(struct login *l)
{
	const char *end;
	size_t n = 0;
	ssize_t r;

	while (n <= LOGIN_INPUT_MAX &&
	    (r = io_read(INPUT_FD, l->input + n, LOGIN_INPUT_MAX + 1 - n)))
		if (r == -1)
			return errno == EBADF ? LOGIN_MISUSED : CODE_TEMP;
		else
			n += (size_t)r;
	(void)close(INPUT_FD);
	if (n > LOGIN_INPUT_MAX)
		return LOGIN_REFUSED;
	end = l->input + n;
	l->input[n] = '\0';
	l->name = l->input;
	if (!(l->password = next_string(l->name, end)) ||
	    !(l->third = next_string(l->password, end)))
		return LOGIN_MISUSED;
	return CODE_OK;
}

void
login_become(const struct login_target *t, char *const argv[])
{
	if (sys_become(t->uid, t->gid) == -1 || chdir(t->home) == -1 ||
	    setenv("USER", t->user, 1) == -1 || setenv("HOME", t->home, 1) == -1 ||
	    setenv("SHELL", t->shell, 1) == -1 ||
	    (t->maildir && setenv("MAILDIR", t->maildir, 1) == -1))
		return;
	proc_exec(argv[0], true, argv, environ);
}
