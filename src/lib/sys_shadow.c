/* sys_shadow - the shadow file; apart from sys.c, since its lookups load shared objects, which what
 * is linked statically must not. */
#define _GNU_SOURCE
#include <errno.h>
#include <pwd.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys.h"

#define SHADOW_FIRST_SIZE ((size_t)1024)
#define SHADOW_LAST_SIZE ((size_t)1 << 20)

static int
copy_shadow(struct sys_shadow *s, const char *hash, long changed, long max_age, long expires)
{
	*s = (struct sys_shadow){ .hash = strdup(hash ? hash : ""), .changed = changed,
		.max_age = max_age, .expires = expires };
	return s->hash ? 1 : -1;
}

/* One attempt with a buffer of this size.  Returns the error, *rc what was found. */
static int
find_shadow(const char *name, char *text, size_t size, struct sys_shadow *s, int *rc)
{
	struct spwd sp, *shadow = NULL;
	struct passwd pw, *passwd = NULL;
	int error = getspnam_r(name, &sp, text, size, &shadow);

	if (shadow) {
		*rc = copy_shadow(s, sp.sp_pwdp, sp.sp_lstchg, sp.sp_max, sp.sp_expire);
		return error;
	}
	if (error && error != ENOENT)
		return error;
	error = getpwnam_r(name, &pw, text, size, &passwd);
	if (passwd)
		*rc = copy_shadow(s, pw.pw_passwd, -1, -1, -1);
	else if (error == 0 || error == ENOENT)
		*rc = 0;
	return error;
}

int
sys_shadow(const char *name, struct sys_shadow *s)
{
	int rc = -1, error = ERANGE;

	for (size_t size = SHADOW_FIRST_SIZE; error == ERANGE && size <= SHADOW_LAST_SIZE;
	    size *= 2) {
		char *text = malloc(size);

		if (!text)
			return -1;
		error = find_shadow(name, text, size, s, &rc);
		explicit_bzero(text, size);
		free(text);
	}
	if (rc == -1)
		errno = error ? error : ENOMEM;
	return rc;
}
