/* qcheck - is a queue what its format says?  The modules of qmail-qcheck share this header.
 *
 *	qcheck.c	accounts, lock, order of the steps, what is said about a finding
 *	qcheck_walk.c	all entries of a directory of the queue; where a file is
 *	qcheck_tree.c	directories, lock files, split
 *	qcheck_files.c	each file by itself: name, type, owner, mode, place
 *	qcheck_number.c	numbers against inodes; files whose message is gone
 *	qcheck_state.c	states and records of each message
 *
 * cwd = the queue.  Checking takes no lock: messages may come and go meanwhile.  A state that looks
 * illegal is looked at a second time before it is reported, so that a message on its way from one
 * state to the next is not.
 *
 * Repairing holds sendmutex, so that no qmail-send runs; whoever repairs sees to it that nobody
 * runs qmail-queue either.  Files are renamed, never copied: their mtimes are birth and schedule.
 * Nothing is removed but files whose message text is gone or that cannot be of the state the
 * message is in, and only while all of mess can be seen. */
#ifndef QUEUE_QCHECK_H
#define QUEUE_QCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "queue/qlayout.h"

/* `remote/65000/` and any file name. */
#define QCHECK_PATH_SIZE 320
#define QCHECK_TEMPORARY ".tmp"		/* after a number: renamed, the last step is to come */

/* ---- findings ---- */

/* The kinds of repair; -i asks once for each. */
enum qcheck_fix { QFIX_HAND, QFIX_CREATE, QFIX_OWNER, QFIX_RENAME, QFIX_REMOVE, QFIX_KINDS };
enum qcheck_outcome { QCHECK_OPEN, QCHECK_DONE, QCHECK_FAILED };
enum qcheck_state { QSTATE_S2, QSTATE_S3, QSTATE_S4, QSTATE_S5, QSTATE_ILLEGAL, QSTATES };

struct qcheck_settings {
	bool repair;
	bool pretend;		/* only say what would be repaired */
	bool ask;		/* before the first repair of each kind; on 2, answer from 0 */
	bool quiet;		/* nothing about what was repaired */
	bool tell_pid;		/* every file in pid is a finding */
	unsigned split;		/* 0: as built */
};

/* A number, and what it has to do with another one or with a directory. */
struct qcheck_item {
	uint64_t id, to;
	enum qdir dir;
};

struct qcheck_list {		/* {0} is empty */
	struct qcheck_item *items;
	size_t n, size;
};

struct qcheck {
	struct qcheck_settings set;
	struct qlayout q;
	uid_t queue, send, remote;
	gid_t group;
	int lock;			/* descriptor of sendmutex, or -1 */
	bool whole;			/* all of mess is there: what has no text is garbage */
	bool temporary;			/* names with QCHECK_TEMPORARY were seen */
	struct qcheck_list misplaced;	/* id and dir of files left in a wrong directory */
	struct qcheck_list renumber;	/* messages with number id whose inode is `to` */
	uint64_t findings, left;	/* left: those that were not repaired */
	uint64_t states[QSTATES];
	char answer[QFIX_KINDS];	/* 'y' or 'n' once it was given */
	const char *doing;		/* what could not be done, and with which file */
	char where[QCHECK_PATH_SIZE];
};

/* Checks (and repairs) the queue in the current directory, set being filled in.  A line on 1 for
 * each finding.  0; or -1 with errno (0: `doing` says all), doing and where. */
MUST_CHECK int qcheck_run(struct qcheck *c);
/* Looks the accounts up, before the program restricts itself.  -1 as above. */
MUST_CHECK int qcheck_accounts(struct qcheck *c);
void qcheck_free(struct qcheck *c);

/* ---- for the modules ---- */

/* Returns -1 and keeps what could not be done; errno is kept. */
int qcheck_trouble(struct qcheck *c, const char *doing, const char *path);
/* Shall a repair of this kind be made? */
bool qcheck_may(struct qcheck *c, enum qcheck_fix fix);
/* The outcome of a repair that returned 0, or -1 with errno. */
enum qcheck_outcome qcheck_outcome(int result);
/* One line: `PATH: WHAT; by hand: REMEDY` and the like.  errno tells why for QCHECK_FAILED. */
PRINTF_LIKE(6, 7) void qcheck_report(struct qcheck *c, enum qcheck_fix fix,
    enum qcheck_outcome outcome, const char *path, const char *remedy, const char *format, ...);
/* What the first bytes of the mode say: `a directory`. */
const char *qcheck_type(mode_t mode);
/* Gives what was just created its owner, group and mode.  -1 with errno. */
MUST_CHECK int qcheck_own(const struct qcheck *c, const char *path, const char *owner, mode_t mode);
/* Owner, group (unless any_group) and mode of something that is of the right type. */
void qcheck_ownership(struct qcheck *c, const char *path, const struct stat *st, const char *owner,
    mode_t mode, bool any_group);
/* Everything done so far is on disk before what follows. */
MUST_CHECK int qcheck_sync(struct qcheck *c);

MUST_CHECK int qcheck_list_add(struct qcheck_list *l, struct qcheck_item item);

/* -- qcheck_walk.c -- */

enum qcheck_name { QNAME_NUMBER, QNAME_TEMPORARY, QNAME_OTHER };

struct qcheck_entry {
	enum qdir dir;
	const char *name;
	char path[QCHECK_PATH_SIZE];
	enum qcheck_name kind;
	uint64_t id;			/* of QNAME_NUMBER, QNAME_TEMPORARY */
	bool in_place;			/* in the directory where the queue looks for this number */
	struct stat st;			/* of the entry itself, no link followed */
};

/* May this directory be split, in one layout or the other? */
bool qcheck_splittable(enum qdir dir);
/* A name as the queue writes numbers: `0`, `457`, not `007`. */
bool qcheck_number(const char *name, uint64_t *id);
/* The names in a directory, each with its NUL; none if it does not exist.  -1 with errno. */
MUST_CHECK int qcheck_names(const char *path, struct buf *names);
/* Calls visit for all entries of a directory and of subdirectories with a number for a name, which
 * are not entries themselves where there may be some.  Stops at the first -1 and returns it. */
MUST_CHECK int qcheck_walk(struct qcheck *c, enum qdir dir,
    int (*visit)(struct qcheck *c, const struct qcheck_entry *e));
/* Is there such a file, even if in a wrong directory?  1, 0, -1 with errno. */
MUST_CHECK int qcheck_exists(const struct qcheck *c, enum qdir dir, uint64_t id);
/* `info/20/457.tmp`; out has QCHECK_PATH_SIZE bytes. */
char *qcheck_temporary_path(const struct qcheck *c, char *out, enum qdir dir, uint64_t id);

/* -- the steps, in this order; -1: see qcheck_trouble -- */

/* How the queue is split, and whether all of mess is there. */
MUST_CHECK int qcheck_tree_split(struct qcheck *c);
MUST_CHECK int qcheck_tree(struct qcheck *c);
/* Name, type, owner, mode; puts files into their place; fills c->renumber. */
MUST_CHECK int qcheck_files(struct qcheck *c);
/* Gives messages the number of their inode.  In between, files of a message have the new number
 * and QCHECK_TEMPORARY, the text being renamed last; then everything loses it, the text first.  So
 * each file belongs to one message at any moment, and a repair that was cut short can be run
 * again. */
MUST_CHECK int qcheck_number_all(struct qcheck *c);
MUST_CHECK int qcheck_states(struct qcheck *c);
/* Directories that this split does not have. */
MUST_CHECK int qcheck_tree_extra(struct qcheck *c);

#endif
