/* pw2u - from a password file to users/assign (qmail-users(5)).
 *
 *	joe:x:507:100:Joe Shmoe:/home/joe:/bin/sh
 *
 * becomes
 *	=joe:joe:507:100:/home/joe:::
 *	+joe-:joe:507:100:/home/joe:-:: */
#ifndef USERS_PW2U_H
#define USERS_PW2U_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctl.h"
#include "lib/io.h"
#include "lib/set.h"

#define PW2U_LINE_MAX ((size_t)64 << 10)	/* bytes of a line; longer ones are no accounts */

enum pw2u_homes {
	PW2U_SKIP_MISSING,	/* and what belongs to somebody else */
	PW2U_NEED,		/* a missing one is PW2U_HOME */
	PW2U_ANY		/* they are not looked at */
};

enum pw2u_status {
	PW2U_OK,
	PW2U_MEMORY,
	PW2U_READ,		/* errno, as for all that can have one */
	PW2U_WRITE,
	PW2U_NO_ALIAS,		/* no account to take mail for nobody */
	PW2U_HOME,		/* *detail: a home directory that cannot be looked at */
	PW2U_NO_USER		/* *detail: named in subusers, but no account */
};

/* PW2U_EMPTY, then the choices. */
struct pw2u {
	enum pw2u_homes homes;
	bool capitals;		/* accept names with A to Z */
	char break_char;	/* 0: no addresses with extensions */
	bool slash;		/* files .qmail-/ext */
	struct set include, exclude;	/* names */
	bool has_include;
	struct set mailnames;	/* name -> other names, with colons between them */
	struct buf subusers;	/* text, lines `sub:user:pre:` */
	struct buf append;	/* text, as it is */
	struct set users;	/* accepted: name -> `:user:uid:gid:home:` */
	bool has_alias;
};

#define PW2U_EMPTY { .subusers = BUF_CAP(CTL_FILE_MAX), .append = BUF_CAP(CTL_FILE_MAX) }

/* Reads password lines, writes everything, the final `.` included, and flushes. */
MUST_CHECK enum pw2u_status pw2u_convert(struct pw2u *p, struct io_in *in, struct io_out *out,
    struct buf *detail);
void pw2u_free(struct pw2u *p);

#endif
