/* qcheck_number - numbers against inodes; files whose message is gone. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/sys.h"
#include "queue/qcheck.h"

/* The text comes last: while it has the old name, so may the others. */
static const enum qdir companions[] = { Q_INFO, Q_LOCAL, Q_REMOTE, Q_INTD, Q_TODO, Q_BOUNCE };

#define COMPANIONS (sizeof companions / sizeof *companions)

/* ---- first half: the new number, with QCHECK_TEMPORARY ---- */

static int
rename_first(struct qcheck *c, enum qdir dir, const struct qcheck_item *item)
{
	char from[QLAYOUT_PATH_SIZE], to[QCHECK_PATH_SIZE];

	(void)qlayout_path(&c->q, from, dir, item->id);
	(void)qcheck_temporary_path(c, to, dir, item->to);
	if (sys_rename_new(from, to) == 0 || errno == ENOENT)
		return 0;
	return qcheck_trouble(c, "rename (put the .tmp file of this number aside, then run again)",
	    from);
}

static int
rename_companions(struct qcheck *c)
{
	for (size_t i = 0; i < c->renumber.n; i++)
		for (size_t k = 0; k < COMPANIONS; k++)
			if (rename_first(c, companions[k], &c->renumber.items[i]) == -1)
				return -1;
	return qcheck_sync(c);
}

static void
report_number(struct qcheck *c, const struct qcheck_item *item, enum qcheck_outcome outcome)
{
	char path[QLAYOUT_PATH_SIZE], remedy[QCHECK_PATH_SIZE];

	(void)snprintf(remedy, sizeof remedy, "rename the files of %ju to %ju",
	    (uintmax_t)item->id, (uintmax_t)item->to);
	qcheck_report(c, QFIX_RENAME, outcome, qlayout_path(&c->q, path, Q_MESS, item->id), remedy,
	    "is inode %ju; the next message with inode %ju cannot be queued", (uintmax_t)item->to,
	    (uintmax_t)item->id);
}

static int
rename_texts(struct qcheck *c)
{
	for (size_t i = 0; i < c->renumber.n; i++) {
		if (rename_first(c, Q_MESS, &c->renumber.items[i]) == -1)
			return -1;
		report_number(c, &c->renumber.items[i], QCHECK_DONE);
		c->temporary = true;
	}
	return qcheck_sync(c);
}

/* ---- between: what has no text ---- */

static int
look_for_text(struct qcheck *c, const struct qcheck_entry *e)
{
	enum qcheck_outcome o = QCHECK_OPEN;
	struct stat st;
	int found;

	if (e->kind != QNAME_NUMBER || !S_ISREG(e->st.st_mode))
		return 0;
	if ((found = qcheck_exists(c, Q_MESS, e->id)) == -1)
		return qcheck_trouble(c, "look for the text of", e->path);
	if (found || (lstat(e->path, &st) == -1 && errno == ENOENT))
		return 0;	/* or the message is gone, after the file */
	if (!c->whole) {
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, e->path,
		    "see that all of mess is there, then run -r",
		    "belongs to no message; but directories of mess were missing");
		return 0;
	}
	if (qcheck_may(c, QFIX_REMOVE))
		o = qcheck_outcome(unlink(e->path));
	qcheck_report(c, QFIX_REMOVE, o, e->path, "remove it",
	    "belongs to no message: there is no text with this number");
	return 0;
}

static int
look_for_texts(struct qcheck *c)
{
	for (size_t k = 0; k < COMPANIONS; k++)
		if (qcheck_walk(c, companions[k], look_for_text) == -1)
			return -1;
	return qcheck_sync(c);
}

/* ---- second half: without QCHECK_TEMPORARY ---- */

/* Why the file must keep its name; NULL if it need not.  -1 in *found: trouble. */
static const char *
obstacle(const struct qcheck *c, const struct qcheck_entry *e, int *found)
{
	if (!e->in_place)
		return "is in the wrong directory";
	if ((*found = qcheck_exists(c, e->dir, e->id)) != 0)
		return "has a name for repairs, and another file has this number";
	if (e->dir == Q_MESS)
		return e->st.st_ino == e->id ? NULL : "has neither a number nor its inode's";
	if ((*found = qcheck_exists(c, Q_MESS, e->id)) == 1)
		return NULL;
	return "has a name for repairs, and there is no text with this number";
}

static int
rename_second(struct qcheck *c, const struct qcheck_entry *e)
{
	enum qcheck_outcome o = QCHECK_OPEN;
	char to[QCHECK_PATH_SIZE];
	const char *why;
	int found = 0;

	if (e->kind != QNAME_TEMPORARY || !S_ISREG(e->st.st_mode))
		return 0;
	why = obstacle(c, e, &found);
	if (found == -1)
		return qcheck_trouble(c, "look at", e->path);
	if (why) {
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, e->path,
		    "remove it, or the other one, then run -r", "%s", why);
		return 0;
	}
	(void)qlayout_path(&c->q, to, e->dir, e->id);
	if (!qcheck_may(c, QFIX_RENAME)) {
		qcheck_report(c, QFIX_RENAME, QCHECK_OPEN, e->path, to,
		    "was left by a repair that did not end");
	} else if (sys_rename_new(e->path, to) == -1) {
		o = QCHECK_FAILED;
		qcheck_report(c, QFIX_RENAME, o, e->path, to, "has a name for repairs");
	}
	return 0;
}

static int
rename_back(struct qcheck *c)
{
	if (!c->temporary)
		return 0;
	if (qcheck_walk(c, Q_MESS, rename_second) == -1 || qcheck_sync(c) == -1)
		return -1;
	for (size_t k = 0; k < COMPANIONS; k++)
		if (qcheck_walk(c, companions[k], rename_second) == -1)
			return -1;
	return qcheck_sync(c);
}

int
qcheck_number_all(struct qcheck *c)
{
	if (c->renumber.n == 0) {
		if (look_for_texts(c) == -1)
			return -1;
		return rename_back(c);
	}
	if (!qcheck_may(c, QFIX_RENAME)) {
		for (size_t i = 0; i < c->renumber.n; i++)
			report_number(c, &c->renumber.items[i], QCHECK_OPEN);
		return look_for_texts(c);
	}
	if (rename_companions(c) == -1 || rename_texts(c) == -1 || look_for_texts(c) == -1)
		return -1;
	return rename_back(c);
}
