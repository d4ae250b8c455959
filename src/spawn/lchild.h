/* lchild - one local delivery: finds the user and runs qmail-local as that.  users/cdb is read
 * here, and a qmail-getpw that stays is asked, so that the delivery is the only new process; else a
 * child of ours runs qmail-getpw and then becomes the delivery. */
#ifndef SPAWN_LCHILD_H
#define SPAWN_LCHILD_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/proc.h"
#include "lib/span.h"
#include "lib/sys.h"
#include "spawn/accounts.h"
#include "spawn/spawnd.h"

#define LCHILD_USER_MAX ((size_t)65536)		/* bytes that qmail-getpw may answer */

struct lchild {
	char *program;			/* qmail-local, or what is run instead */
	char *default_delivery;		/* argument of qmail-lspawn */
	struct proc_cred getpw;		/* who qmail-getpw runs as */
	struct accounts *accounts;
	struct workers *workers;
	struct sys_files files;		/* the limits of a delivery; {0}: ours */
};

/* What users/cdb or qmail-getpw say, six C strings. */
struct lchild_user {
	char *name, *home, *dash, *ext;
	uid_t uid;
	gid_t gid;
};

/* Takes `user NUL uid NUL gid NUL home NUL dash NUL ext NUL` apart; u points into text.  Ids are
 * leading digits; none count as 0.  0, or LS_BUG: a field is missing, an id has more than 32
 * bits or means "no id". */
MUST_CHECK int lchild_parse_user(char *text, size_t n, struct lchild_user *u);
/* Starts it.  The pid; -1: no process to be had; 0: qmail-local could not be run, or need not be,
 * and *code counts as the exit code. */
MUST_CHECK pid_t lchild_start(const struct lchild *l, const struct spawnd_delivery *d, int *code);
/* Hands it to a worker: true.  If not, lchild_start finds the user once more.  That is a few system
 * calls beside a process of its own, too little for keeping what was found between the two. */
MUST_CHECK bool lchild_hand(const struct lchild *l, const struct spawnd_delivery *d,
    struct worker *w);

#endif
