/* mboxmerge - moves the messages of a Maildir into an mbox. */
#include "local/mboxmerge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/sys.h"
#include "mail/trace.h"

#define COPY_SIZE 32768			/* also: how long a first line is looked at */
#define ATTRIBUTES 0777			/* permission bits that a new mbox gets from the old one */

struct span
mboxmerge_sender(struct span line)
{
	const struct span name = span_str("Return-Path: <");
	struct span rest;

	while (line.n && (ascii_isblank(line.p[line.n - 1]) || line.p[line.n - 1] == '\r'))
		line.n--;
	rest = span_tail(line, name.n);
	if (!span_starts(line, name) || !rest.n || rest.p[rest.n - 1] != '>')
		return span_str("XXX");
	return span_head(rest, rest.n - 1);
}

/* ---- the temporary file ---- */

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* One that was left by a run that died may go; one that is in use may not.  false: errno. */
static bool
remove_stale(const char *tmp)
{
	int error = EEXIST, fd = open(tmp, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return false;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		errno = EEXIST;
	else if (sys_flock_try(fd) == -1)
		errno = EBUSY;
	else if (unlink(tmp) == 0)
		error = 0;
	if (error)
		error = errno;
	(void)close(fd);
	errno = error;
	return !error;
}

static enum mboxmerge_status
create(struct mboxmerge *m)
{
	struct stat box, st;

	if (fstat(m->box.fd, &box) == -1)
		return MBOXMERGE_LOCK;
	if (lstat(m->tmp, &st) == 0) {
		if (same_file(&st, &box))
			return MBOXMERGE_SAME;
		if (!remove_stale(m->tmp))
			return MBOXMERGE_CREATE;
	}
	if ((m->to = fsops_create(m->tmp, 0600)) == -1)
		return MBOXMERGE_CREATE;
	/* Until it is locked somebody else may take it for stale; rename_new looks again. */
	if (sys_flock_try(m->to) == -1 && errno == EWOULDBLOCK) {
		errno = EBUSY;
		return MBOXMERGE_CREATE;
	}
	return MBOXMERGE_OK;
}

/* Owner, group and mode as the old one has them.  A group that we may not give gets nothing. */
static enum mboxmerge_status
copy_attributes(const struct mboxmerge *m)
{
	struct stat old, new;
	mode_t mode;

	if (fstat(m->box.fd, &old) == -1 || fstat(m->to, &new) == -1)
		return MBOXMERGE_OWNER;
	mode = old.st_mode & ATTRIBUTES;
	if (new.st_uid != old.st_uid && fchown(m->to, old.st_uid, (gid_t)-1) == -1)
		return MBOXMERGE_OWNER;
	if (new.st_gid != old.st_gid && fchown(m->to, (uid_t)-1, old.st_gid) == -1)
		mode &= (mode_t)~070;
	return fchmod(m->to, mode) == -1 ? MBOXMERGE_OWNER : MBOXMERGE_OK;
}

/* ---- what goes into it ---- */

/* The old mbox as it is.  A last message that was cut off is ended, or the next one would become
 * part of it. */
static enum mboxmerge_status
copy_old(struct mboxmerge *m, struct io_out *out)
{
	char in[COPY_SIZE], last = '\n';
	ssize_t n;

	m->at = m->path;
	if (lseek(m->box.fd, 0, SEEK_SET) == -1)
		return MBOXMERGE_READ;
	while ((n = io_read(m->box.fd, in, sizeof in)) > 0 && out->status == IO_OK) {
		io_put(out, in, (size_t)n);
		last = in[n - 1];
	}
	if (n == -1)
		return MBOXMERGE_READ;
	if (last != '\n')
		io_puts(out, "\n\n");
	return MBOXMERGE_OK;
}

static enum mboxmerge_status
copy_from_line(struct span first, int64_t time, struct io_out *out)
{
	struct buf line = { 0 };
	bool good;

	first = span_head(first, span_chr(first, '\n'));
	trace_add_from_line(&line, mboxmerge_sender(first), time);
	good = buf_ok(&line);
	io_putspan(out, buf_span(&line));
	buf_free(&line);
	if (!good)
		errno = ENOMEM;
	return good ? MBOXMERGE_OK : MBOXMERGE_WRITE;
}

static enum mboxmerge_status
copy_message(int fd, int64_t time, struct io_out *out)
{
	char buffer[COPY_SIZE];
	struct mboxfmt format = { 0 };
	enum mboxmerge_status result;
	enum io_status status;
	struct io_in in;

	io_in_init(&in, fd, buffer, sizeof buffer);
	status = io_fill(&in);
	result = copy_from_line(io_peek(&in), time, out);
	for (; status == IO_OK && out->status == IO_OK; status = io_fill(&in)) {
		struct span piece = io_peek(&in);

		mboxfmt_put(&format, out, piece);
		io_skip(&in, piece.n);
	}
	mboxfmt_end(&format, out);
	return status == IO_ERROR ? MBOXMERGE_READ : result;
}

/* *gone: somebody has taken it away. */
static enum mboxmerge_status
copy_named(struct mboxmerge *m, const struct maildir_message *message, struct io_out *out,
    bool *gone)
{
	enum mboxmerge_status status;
	int error, fd = fsops_open_read(message->path);

	m->at = message->path;
	*gone = fd == -1 && errno == ENOENT;
	if (fd == -1)
		return *gone ? MBOXMERGE_OK : MBOXMERGE_READ;
	status = copy_message(fd, message->mtime, out);
	error = errno;
	(void)close(fd);
	errno = error;
	return status;
}

static enum mboxmerge_status
copy_all(struct mboxmerge *m, struct maildir_list *list)
{
	char piece[COPY_SIZE];
	struct io_out out;
	enum mboxmerge_status status;
	bool gone;

	io_out_init(&out, m->to, piece, sizeof piece);
	status = copy_old(m, &out);
	for (size_t i = 0; status == MBOXMERGE_OK && i < list->n; i += !gone) {
		status = copy_named(m, &list->messages[i], &out, &gone);
		if (gone)
			maildir_list_drop(list, i);
	}
	if (status != MBOXMERGE_OK)
		return status;
	return io_flush(&out) == -1 || fsops_sync(m->to) == -1 ? MBOXMERGE_WRITE : MBOXMERGE_OK;
}

/* ---- the exchange ---- */

static enum mboxmerge_status
rename_new(const struct mboxmerge *m)
{
	struct stat ours, named;

	if (fstat(m->to, &ours) == -1 || lstat(m->tmp, &named) == -1)
		return MBOXMERGE_MOVE;
	if (!same_file(&ours, &named)) {
		errno = EBUSY;
		return MBOXMERGE_MOVE;
	}
	if (rename(m->tmp, m->real) == -1)
		return MBOXMERGE_MOVE;
	/* From here on the messages are in the mbox, and after the next line on disk. */
	return fsops_sync_entry(m->real, m->to) == -1 ? MBOXMERGE_MOVE : MBOXMERGE_OK;
}

static enum mboxmerge_status
open_old(struct mboxmerge *m)
{
	int unlocked;

	switch (mbox_open(&m->box, m->path, O_RDWR, deadline_after(m->lock_wait_ms), &unlocked)) {
	case MBOX_OK:
		break;
	case MBOX_LOCKED:
		errno = ETIMEDOUT;
		return MBOXMERGE_LOCK;
	default:
		return MBOXMERGE_LOCK;
	}
	if (!m->box.regular)
		return MBOXMERGE_TYPE;
	if (unlocked)
		errno = unlocked;
	return unlocked || !(m->real = sys_real_path(m->path)) ? MBOXMERGE_LOCK : MBOXMERGE_OK;
}

/* Only what is still ours: another one of us may have made its own there. */
static void
remove_tmp(const struct mboxmerge *m)
{
	struct stat ours, named;
	int error = errno;

	if (fstat(m->to, &ours) == 0 && lstat(m->tmp, &named) == 0 && same_file(&ours, &named))
		(void)unlink(m->tmp);
	errno = error;
}

enum mboxmerge_status
mboxmerge_write(struct mboxmerge *m, struct maildir_list *list)
{
	enum mboxmerge_status status = open_old(m);

	if (status == MBOXMERGE_OK)
		status = create(m);
	if (status == MBOXMERGE_OK)
		status = copy_attributes(m);
	if (status == MBOXMERGE_OK)
		status = copy_all(m, list);
	if (status == MBOXMERGE_OK && list->n)
		status = rename_new(m);
	if (m->to != -1)
		remove_tmp(m);
	return status;
}

void
mboxmerge_close(struct mboxmerge *m)
{
	(void)mbox_close(&m->box);
	if (m->to != -1)
		(void)close(m->to);
	m->to = -1;
	free(m->real);
	m->real = NULL;
}
