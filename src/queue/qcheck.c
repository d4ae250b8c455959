/* qcheck - is a queue what its format says?  Accounts, lock, order of the steps, findings. */
#include "queue/qcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/report.h"
#include "lib/sys.h"
#include "lib/uids.h"

#define WHAT_SIZE 256

int
qcheck_trouble(struct qcheck *c, const char *doing, const char *path)
{
	int error = errno;

	c->doing = doing;
	(void)snprintf(c->where, sizeof c->where, "%s", path);
	errno = error;
	return -1;
}

int
qcheck_accounts(struct qcheck *c)
{
	const struct {
		const char *name;
		uid_t *uid;
	} users[] = {
		{ USER_QUEUE, &c->queue }, { USER_SEND, &c->send }, { USER_REMOTE, &c->remote }
	};
	gid_t gid;

	errno = 0;
	for (size_t i = 0; i < sizeof users / sizeof *users; i++)
		if (uids_user(users[i].name, users[i].uid, &gid) != UIDS_FOUND)
			return qcheck_trouble(c, "find user", users[i].name);
	if (uids_group(GROUP_QMAIL, &c->group) != UIDS_FOUND)
		return qcheck_trouble(c, "find group", GROUP_QMAIL);
	return 0;
}

int
qcheck_list_add(struct qcheck_list *l, struct qcheck_item item)
{
	if (l->n == l->size) {
		size_t size = l->size ? l->size * 2 : 64;
		struct qcheck_item *items;

		if (size > SIZE_MAX / sizeof *items ||
		    !(items = realloc(l->items, size * sizeof *items))) {
			errno = ENOMEM;
			return -1;
		}
		l->items = items;
		l->size = size;
	}
	l->items[l->n++] = item;
	return 0;
}

void
qcheck_free(struct qcheck *c)
{
	free(c->misplaced.items);
	free(c->renumber.items);
	c->misplaced = c->renumber = (struct qcheck_list){ 0 };
	if (c->lock != -1)
		(void)close(c->lock);
	c->lock = -1;
}

/* ---- findings ---- */

static char
answer(enum qcheck_fix fix)
{
	static const char *const kinds[QFIX_KINDS] = { "", "create what is missing",
		"correct owners and modes", "rename files",
		"remove files that belong to no message" };
	char line[16], c = 'n';
	struct io_in in;

	(void)!io_write_all(2, kinds[fix], strlen(kinds[fix]));
	(void)!io_write_all(2, "? (y/n) ", sizeof "? (y/n) " - 1);
	io_in_init(&in, 0, line, sizeof line);
	in.line_wise = true;
	if (io_getc(&in, &c) != IO_OK)
		return 'n';
	for (char rest = c; rest != '\n' && io_getc(&in, &rest) == IO_OK;)
		;
	return c == 'y' || c == 'Y' ? 'y' : 'n';
}

bool
qcheck_may(struct qcheck *c, enum qcheck_fix fix)
{
	if (!c->set.repair || c->set.pretend || fix == QFIX_HAND)
		return false;
	if (c->set.ask && !c->answer[fix])
		c->answer[fix] = answer(fix);
	return !c->set.ask || c->answer[fix] == 'y';
}

enum qcheck_outcome
qcheck_outcome(int result)
{
	return result == 0 ? QCHECK_DONE : QCHECK_FAILED;
}

void
qcheck_report(struct qcheck *c, enum qcheck_fix fix, enum qcheck_outcome outcome, const char *path,
    const char *remedy, const char *format, ...)
{
	static const char *const labels[] = { [QCHECK_OPEN] = "repair", [QCHECK_DONE] = "repaired",
		[QCHECK_FAILED] = "not repaired" };
	const char *label = fix == QFIX_HAND ? "by hand" : labels[outcome];
	int error = errno;
	char what[WHAT_SIZE];
	struct buf name = { 0 };
	va_list values;

	c->findings++;
	if (outcome == QCHECK_DONE && c->set.quiet)
		return;
	if (outcome != QCHECK_DONE)
		c->left++;
	va_start(values, format);
	(void)vsnprintf(what, sizeof what, format, values);
	va_end(values);
	log_add_visible(&name, span_str(path), true, '_');
	report_line(1, "%s: %s; %s: %s%s%s", buf_str(&name), what, label, remedy,
	    outcome == QCHECK_FAILED ? ": " : "", outcome == QCHECK_FAILED ? errtext(error) : "");
	buf_free(&name);
}

const char *
qcheck_type(mode_t mode)
{
	return S_ISREG(mode) ? "a file" : S_ISDIR(mode) ? "a directory" :
	    S_ISLNK(mode) ? "a symbolic link" : S_ISFIFO(mode) ? "a FIFO" : "a special file";
}

/* ---- owners and modes ---- */

/* Through a descriptor: nobody can put another file under the name meanwhile.  A file that has
 * other names, but for an envelope in intd and todo, may be somebody else's as well. */
static int
set_ownership(const char *path, const struct stat *seen, uid_t uid, gid_t gid, mode_t mode)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC), r = -1, error;
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		r = -1;
	else if (st.st_ino != seen->st_ino || (!S_ISDIR(st.st_mode) && st.st_nlink > 2))
		errno = EPERM;
	else
		r = fchown(fd, uid, gid) == 0 ? fchmod(fd, mode) : -1;
	error = errno;
	(void)close(fd);
	errno = error;
	return r;
}

static uid_t
uid_of(const struct qcheck *c, const char *owner)
{
	return strcmp(owner, USER_QUEUE) == 0 ? c->queue :
	    strcmp(owner, USER_SEND) == 0 ? c->send : c->remote;
}

int
qcheck_own(const struct qcheck *c, const char *path, const char *owner, mode_t mode)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return -1;
	return set_ownership(path, &st, uid_of(c, owner), c->group, mode);
}

void
qcheck_ownership(struct qcheck *c, const char *path, const struct stat *st, const char *owner,
    mode_t mode, bool any_group)
{
	uid_t uid = uid_of(c, owner);
	mode_t is = st->st_mode & 07777;
	enum qcheck_outcome o = QCHECK_OPEN;
	char remedy[128];

	if (st->st_uid == uid && (any_group || st->st_gid == c->group) && is == mode)
		return;
	if (qcheck_may(c, QFIX_OWNER))
		o = qcheck_outcome(set_ownership(path, st, uid, c->group, mode));
	(void)snprintf(remedy, sizeof remedy, "chown %s:%s, chmod %04o", owner, GROUP_QMAIL,
	    (unsigned)mode);
	if (st->st_uid != uid)
		qcheck_report(c, QFIX_OWNER, o, path, remedy, "has owner %ju instead of %s",
		    (uintmax_t)st->st_uid, owner);
	else if (is != mode)
		qcheck_report(c, QFIX_OWNER, o, path, remedy, "has mode %04o instead of %04o",
		    (unsigned)is, (unsigned)mode);
	else
		qcheck_report(c, QFIX_OWNER, o, path, remedy, "has group %ju instead of %s",
		    (uintmax_t)st->st_gid, GROUP_QMAIL);
}

/* ---- the order of the steps ---- */

int
qcheck_sync(struct qcheck *c)
{
	int fd, r;

	if (!c->set.repair || c->set.pretend)
		return 0;
	if ((fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return qcheck_trouble(c, "open", ".");
	r = sys_syncfs(fd) == -1 ? qcheck_trouble(c, "sync", ".") : 0;
	(void)close(fd);
	return r;
}

/* A queue without the file has no qmail-send; it is made with the rest of the tree, then locked. */
static int
take_lock(struct qcheck *c)
{
	const int flags = O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;

	if (!c->set.repair || c->set.pretend || c->lock != -1)
		return 0;
	if ((c->lock = open(QLAYOUT_MUTEX, flags)) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 :
		    qcheck_trouble(c, "open", QLAYOUT_MUTEX);
	if (sys_flock_try(c->lock) == 0)
		return 0;
	if (errno == EWOULDBLOCK) {
		errno = 0;
		return qcheck_trouble(c, "repair while qmail-send is running; it holds",
		    QLAYOUT_MUTEX);
	}
	return qcheck_trouble(c, "lock", QLAYOUT_MUTEX);
}

int
qcheck_run(struct qcheck *c)
{
	c->lock = -1;
	if (qlayout_detect(&c->q) == -1)
		return qcheck_trouble(c, "look at", "todo");
	if (take_lock(c) == -1 || qcheck_tree_split(c) == -1 || qcheck_tree(c) == -1 ||
	    take_lock(c) == -1 || qcheck_files(c) == -1 || qcheck_number_all(c) == -1 ||
	    qcheck_states(c) == -1 || qcheck_tree_extra(c) == -1)
		return -1;
	return qcheck_sync(c);
}
