/* qlayout - the queue directory: names, split, modes.  The ONLY place that knows them.
 *
 * A message has a number N, the inode of its mess file.  Its files, and the legal states
 * (+ there, - not there, ? either):
 *
 *	     mess  intd  todo  info  local  remote  bounce
 *	S1    -     -     -     -     -       -       -     number unused
 *	S2    +     -     -     -     -       -       -     body arriving, or message going
 *	S3    +     +     -     -     -       -       -     envelope arriving
 *	S4    +     ?     +     ?     ?       ?       -     accepted; preprocessing may be under way
 *	S5    +     -     -     +     ?       ?       ?     deliverable
 *
 * Paths are relative to the queue directory.  Split directories hold subdirectories 0 to
 * QUEUE_SPLIT - 1; todo and intd are split as well in a queue of the big-todo layout, which is
 * recognised by the directory todo/0. */
#ifndef QUEUE_QLAYOUT_H
#define QUEUE_QLAYOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/span.h"

enum qdir { Q_PID, Q_MESS, Q_INTD, Q_TODO, Q_INFO, Q_LOCAL, Q_REMOTE, Q_BOUNCE, Q_LOCK, Q_DIRS };

#define QLAYOUT_PATH_SIZE 64		/* any path made here, with its NUL */
#define QLAYOUT_MUTEX "lock/sendmutex"	/* flock held by qmail-send */
#define QLAYOUT_TRIGGER "lock/trigger"	/* FIFO, see queue/trigger.h */
#define QLAYOUT_PID_TRIES 9		/* numbers tried for a name in pid/ */
#define QLAYOUT_SWEEP_AGE_S 129600	/* leftovers older than this are removed (36 h) */
#define QLAYOUT_WRITER_MAX_S 86400	/* qmail-queue gives up after this (24 h) */

struct qlayout {
	bool big_todo;		/* todo and intd are split */
	unsigned split;		/* subdirectories; 0 = QUEUE_SPLIT.  Others are for qmail-qcheck */
	bool one_journal;	/* the whole queue is on a file system as in lib/journal.h */
};

/* Looks at the queue in the current directory; the split is ours, one_journal false.  -1 with
 * errno. */
MUST_CHECK int qlayout_detect(struct qlayout *q);
/* Is this queue what we were built for?  Every split directory has 0..QUEUE_SPLIT-1 and not
 * QUEUE_SPLIT; pid and mess/0, intd and todo are on one device each.  Directories we may not search
 * are not looked into.  NULL if so, else a static text that says what is wrong. */
MUST_CHECK const char *qlayout_verify(const struct qlayout *q);

/* Sets one_journal.  Directories that we may not search are not looked into; nor do we use them. */
void qlayout_detect_journal(struct qlayout *q);

/* Writes `mess/20/457` and the like; out has QLAYOUT_PATH_SIZE bytes.  Returns out. */
char *qlayout_path(const struct qlayout *q, char *out, enum qdir dir, uint64_t id);
/* `pid/12345.812091414.1`: the name of a file that has no number yet; out as above. */
char *qlayout_pid_path(char *out, pid_t pid, int64_t start, unsigned k);
/* The directory that holds it: `mess/20`, `todo`. */
char *qlayout_dir_of(const struct qlayout *q, char *out, enum qdir dir, uint64_t id);
/* Is this directory split in this queue? */
bool qlayout_is_split(const struct qlayout *q, enum qdir dir);
/* Older than QLAYOUT_SWEEP_AGE_S by the latest of its times: no clock that was set back or forth
 * makes a young file old. */
bool qlayout_is_old(const struct stat *st, int64_t now);
/* From when on, by the wall clock, if nobody touches it. */
int64_t qlayout_old_at(const struct stat *st);
/* `info`, ... */
const char *qlayout_name(enum qdir dir);

/* What a queue must look like: modes of directories and of the files in them, and the account
 * they belong to.  The group is GROUP_QMAIL, but for files of Q_PID, Q_MESS, Q_INTD and Q_TODO,
 * which have that of whoever ran qmail-queue. */
mode_t qlayout_dir_mode(enum qdir dir);
mode_t qlayout_file_mode(enum qdir dir);
const char *qlayout_owner(enum qdir dir);

/* A file name to a number: digits only, no sign, fits 64 bits.  false for everything else. */
bool qlayout_parse_id(struct span name, uint64_t *id);

/* Exclusive creation, close-on-exec, mode 0644 for mess, intd, todo and pid, else 0600.  -1 with
 * errno. */
MUST_CHECK int qlayout_create(const struct qlayout *q, enum qdir dir, uint64_t id);
MUST_CHECK int qlayout_open_read(const struct qlayout *q, enum qdir dir, uint64_t id);
MUST_CHECK int qlayout_open_write(const struct qlayout *q, enum qdir dir, uint64_t id);
/* To read what will also be written: fails where writing would (EROFS). */
MUST_CHECK int qlayout_open_update(const struct qlayout *q, enum qdir dir, uint64_t id);
/* 1 there, 0 not there, -1 with errno. */
MUST_CHECK int qlayout_exists(const struct qlayout *q, enum qdir dir, uint64_t id);
/* ENOENT counts as success.  Keeps errno on success. */
int qlayout_remove(const struct qlayout *q, enum qdir dir, uint64_t id);
/* fsync of the directory that holds the file. */
MUST_CHECK int qlayout_sync_dir(const struct qlayout *q, enum qdir dir, uint64_t id);

/* Walks all entries of a directory (all subdirectories if it is split), a bounded number at a
 * time.  Only names that are numbers, only in the subdirectory they belong to. */
struct qlayout_scan {
	const struct qlayout *q;
	enum qdir dir;
	unsigned sub;		/* next subdirectory */
	void *stream;		/* DIR * or NULL */
	bool done;
	bool failed;		/* something could not be read: the walk is incomplete */
	char failed_dir[QLAYOUT_PATH_SIZE];	/* the first one */
	int error;
};
void qlayout_scan_start(struct qlayout_scan *s, const struct qlayout *q, enum qdir dir);
/* 1: *id; 0: end (look at failed). */
int qlayout_scan_next(struct qlayout_scan *s, uint64_t *id);
void qlayout_scan_stop(struct qlayout_scan *s);

#endif
