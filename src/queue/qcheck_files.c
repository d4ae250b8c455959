/* qcheck_files - each file by itself: name, type, owner, mode, place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys.h"
#include "queue/qcheck.h"

/* ---- pid: `12345.812091414.1` ---- */

static bool
is_pid_name(const char *name)
{
	uint64_t number;
	size_t n;

	for (int part = 0; part < 3; part++) {
		n = strcspn(name, ".");
		if (!qlayout_parse_id(span_of(name, n), &number) || (part < 2) != (name[n] == '.'))
			return false;
		name += n + 1;
	}
	return true;
}

static bool
check_type(struct qcheck *c, const struct qcheck_entry *e)
{
	if (S_ISREG(e->st.st_mode))
		return true;
	qcheck_report(c, QFIX_HAND, QCHECK_OPEN, e->path, "move it out of the queue",
	    "is %s, not a file", qcheck_type(e->st.st_mode));
	return false;
}

static void
check_ownership(struct qcheck *c, const struct qcheck_entry *e)
{
	const bool any_group = e->dir == Q_PID || e->dir == Q_MESS || e->dir == Q_INTD ||
	    e->dir == Q_TODO;

	qcheck_ownership(c, e->path, &e->st, qlayout_owner(e->dir), qlayout_file_mode(e->dir),
	    any_group);
}

static int
look_in_pid(struct qcheck *c, const struct qcheck_entry *e)
{
	if (!is_pid_name(e->name)) {
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, e->path, "move it out of the queue",
		    "has a name that qmail-queue does not give; qmail-clean will remove it");
	} else if (check_type(c, e)) {
		check_ownership(c, e);
		if (c->set.tell_pid)
			qcheck_report(c, QFIX_HAND, QCHECK_OPEN, e->path,
			    "none: qmail-clean removes it when it is 36 hours old",
			    "was left by qmail-queue");
	}
	return 0;
}

/* ---- the other directories ---- */

static int
misplaced(struct qcheck *c, const struct qcheck_entry *e)
{
	enum qcheck_outcome o = QCHECK_OPEN;
	char to[QCHECK_PATH_SIZE];

	if (e->kind == QNAME_NUMBER)
		(void)qlayout_path(&c->q, to, e->dir, e->id);
	else
		(void)qcheck_temporary_path(c, to, e->dir, e->id);
	if (qcheck_may(c, QFIX_RENAME))
		o = qcheck_outcome(sys_rename_new(e->path, to));
	qcheck_report(c, QFIX_RENAME, o, e->path, to, "is in the wrong directory");
	if (o == QCHECK_DONE || e->kind != QNAME_NUMBER)
		return 0;
	if (qcheck_list_add(&c->misplaced, (struct qcheck_item){ e->id, 0, e->dir }) == -1)
		return qcheck_trouble(c, "remember", e->path);
	return 0;
}

/* A text that could not be put into its place, because another one is there, keeps its number. */
static int
check_inode(struct qcheck *c, const struct qcheck_entry *e)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	if (e->kind != QNAME_NUMBER || e->st.st_ino == e->id)
		return 0;
	if (!e->in_place && lstat(qlayout_path(&c->q, path, Q_MESS, e->id), &st) == 0 &&
	    st.st_ino != e->st.st_ino)
		return 0;
	if (qcheck_list_add(&c->renumber,
	    (struct qcheck_item){ e->id, (uint64_t)e->st.st_ino, Q_MESS }) == -1)
		return qcheck_trouble(c, "remember", e->path);
	return 0;
}

static int
look_at_file(struct qcheck *c, const struct qcheck_entry *e)
{
	if (e->kind == QNAME_OTHER) {
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, e->path, "remove it if nobody needs it",
		    "is not part of a queue; it does no harm");
		return 0;
	}
	if (!check_type(c, e))
		return 0;
	check_ownership(c, e);
	c->temporary |= e->kind == QNAME_TEMPORARY;
	if (!e->in_place && misplaced(c, e) == -1)
		return -1;
	return e->dir == Q_MESS ? check_inode(c, e) : 0;
}

static int
compare(const void *left, const void *right)
{
	const struct qcheck_item *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->dir < b->dir ? -1 : a->dir > b->dir;
}

int
qcheck_files(struct qcheck *c)
{
	if (qcheck_walk(c, Q_PID, look_in_pid) == -1)
		return -1;
	for (int dir = 0; dir < Q_DIRS; dir++)
		if (dir != Q_PID && dir != Q_LOCK &&
		    qcheck_walk(c, (enum qdir)dir, look_at_file) == -1)
			return -1;
	if (c->misplaced.n)
		qsort(c->misplaced.items, c->misplaced.n, sizeof *c->misplaced.items, compare);
	return 0;
}
