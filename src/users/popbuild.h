/* popbuild - users/poppasswd and users/popsecrets become databases (mail/poppasswd.h). */
#ifndef USERS_POPBUILD_H
#define USERS_POPBUILD_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

enum popbuild_status {
	POPBUILD_OK,
	POPBUILD_FORMAT,	/* place */
	POPBUILD_WRITE		/* errno */
};

struct popbuild_place {
	uint64_t line;		/* the line that is bad */
	const char *why;	/* in words */
};

/* text: the lines; empty ones and those that begin with # do not count.  fd: an empty file, open
 * for reading and writing.  Of equal names the first one counts. */
MUST_CHECK enum popbuild_status popbuild_passwd(struct span text, int fd,
    struct popbuild_place *place);
MUST_CHECK enum popbuild_status popbuild_secrets(struct span text, int fd,
    struct popbuild_place *place);

/* How long the beginning of a hash is that says how much work it is: `$6$rounds=9$`, `$2b$05$`,
 * `$y$j9T$`; 0 for the old ones without `$`. */
size_t popbuild_kind(struct span hash);

#endif
