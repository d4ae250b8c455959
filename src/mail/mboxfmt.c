/* mboxfmt - mailboxes of one file for all messages: quoting, appending, rolling back. */
#include "mail/mboxfmt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fsops.h"
#include "lib/sys.h"

#define COPY_SIZE 32768
#define REOPENS 100		/* renames under our feet that we put up with */
#define SLOW_PEER_MS ((int64_t)30 * 1000)	/* a FIFO that nobody empties */

static const char from[] = "From ";
#define FROM_LENGTH (sizeof from - 1)

/* Lets go of what was held back: it was no From_ line after all. */
static void
release(struct mboxfmt *m, struct io_out *out)
{
	io_put(out, from, m->matched);
	m->matched = 0;
	m->inside = m->open = true;
}

/* A byte while it is still open whether the line needs a >.  Those that it has already go out at
 * once: one more of them may as well stand behind them. */
static void
put_start(struct mboxfmt *m, struct io_out *out, char c)
{
	m->open = true;
	if (m->matched == 0 && c == '>') {
		io_putc(out, c);
	} else if (c == from[m->matched]) {
		if (++m->matched == FROM_LENGTH) {
			io_putc(out, '>');
			release(m, out);
		}
	} else {
		release(m, out);
		io_putc(out, c);
		m->inside = m->open = c != '\n';
	}
}

void
mboxfmt_put(struct mboxfmt *m, struct io_out *out, struct span piece)
{
	while (piece.n) {
		size_t n = 1;

		if (m->inside) {
			n = span_chr(piece, '\n');
			m->inside = m->open = n == piece.n;
			n += !m->inside;
			io_put(out, piece.p, n);
		} else {
			put_start(m, out, piece.p[0]);
		}
		piece = span_tail(piece, n);
	}
}

void
mboxfmt_end(struct mboxfmt *m, struct io_out *out)
{
	if (m->matched)
		release(m, out);
	if (m->open)
		io_putc(out, '\n');
	io_putc(out, '\n');
	*m = (struct mboxfmt){ 0 };
}

struct box {
	const char *path;
	int fd;
	bool regular;
	bool fresh;		/* its name may not be on disk yet */
	off_t end;		/* where the new message begins */
	struct mboxlock lock;
};

/* 0, or -1 with errno. */
static int
open_box(struct box *b)
{
	const int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;
	int error;

	b->fd = open(b->path, flags);
	b->fresh = b->fd == -1 && errno == ENOENT;
	if (b->fresh)
		b->fd = open(b->path, flags | O_CREAT, 0600);
	if (b->fd == -1)
		return -1;
	if (fstat(b->fd, &st) == 0) {
		b->regular = S_ISREG(st.st_mode);
		return 0;
	}
	error = errno;
	(void)close(b->fd);
	b->fd = -1;
	errno = error;
	return -1;
}

/* Does the path still lead to the file we hold?  Somebody may have renamed a new one into place
 * while we waited for the lock. */
static bool
is_current(const struct box *b)
{
	struct stat ours, named;

	return fstat(b->fd, &ours) == 0 && stat(b->path, &named) == 0 &&
	    ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* Opens and locks the file that the path names now. */
static enum mbox_status
enter_box(struct box *b, int *unlocked, int64_t deadline)
{
	for (int i = 0; i < REOPENS; i++) {
		enum mboxlock_status s;

		if (open_box(b) == -1)
			return MBOX_OPEN;
		if (!b->regular)
			return MBOX_OK;		/* nothing there that could be mixed up */
		s = mboxlock_take(&b->lock, b->fd, b->path, deadline);
		if (s == MBOXLOCK_TIMEOUT)
			return MBOX_LOCKED;
		*unlocked = s == MBOXLOCK_OK ? 0 : errno;
		if (is_current(b))
			return MBOX_OK;
		mboxlock_drop(&b->lock);
		(void)close(b->fd);
		b->fd = -1;
	}
	return MBOX_LOCKED;
}

/* Remembers the end.  An empty file may be new, by us or by a writer that died: its name must be
 * on disk before the first message counts as delivered.  0, or -1 with errno. */
static int
prepare(struct box *b)
{
	char *real;
	int r, error;

	if (!b->regular)
		return 0;
	if ((b->end = lseek(b->fd, 0, SEEK_END)) == -1)
		return -1;
	if (b->end != 0 && !b->fresh)
		return 0;
	if (!(real = sys_real_path(b->path)))
		return -1;
	r = fsops_sync_entry(real);
	error = errno;
	free(real);
	errno = error;
	return r;
}

static enum mbox_status
append(const struct box *b, int from_fd, struct span head)
{
	char in[COPY_SIZE], piece[COPY_SIZE];
	struct mboxfmt m = { 0 };
	struct io_out out;
	ssize_t r;

	io_out_init(&out, b->fd, piece, sizeof piece);
	if (!b->regular)
		out.timeout_ms = SLOW_PEER_MS;
	io_putspan(&out, head);
	while ((r = io_read(from_fd, in, sizeof in)) > 0 && out.status == IO_OK)
		mboxfmt_put(&m, &out, span_of(in, (size_t)r));
	if (r == -1)
		return MBOX_READ;
	mboxfmt_end(&m, &out);
	return io_flush(&out) == -1 || fsops_sync(b->fd) == -1 ? MBOX_WRITE : MBOX_OK;
}

/* Takes back what was written; only where nobody else can have written meanwhile. */
static void
roll_back(const struct box *b)
{
	int error = errno;

	if (b->regular && b->lock.held && ftruncate(b->fd, b->end) == 0)
		(void)!fsops_sync(b->fd);
	errno = error;
}

enum mbox_status
mboxfmt_deliver_by(const char *path, int fd, struct span head, int *unlocked,
    int64_t lock_deadline)
{
	struct box b = { .path = path, .fd = -1 };
	enum mbox_status status;
	int error;

	*unlocked = 0;
	status = enter_box(&b, unlocked, lock_deadline);
	if (status == MBOX_OK && prepare(&b) == -1)
		status = MBOX_WRITE;
	else if (status == MBOX_OK && (status = append(&b, fd, head)) != MBOX_OK)
		roll_back(&b);
	mboxlock_drop(&b.lock);
	error = errno;
	if (b.fd != -1 && close(b.fd) == -1 && status == MBOX_OK) {
		error = errno;
		status = MBOX_WRITE;
	}
	errno = error;
	return status;
}

enum mbox_status
mboxfmt_deliver(const char *path, int fd, struct span head, int *unlocked)
{
	return mboxfmt_deliver_by(path, fd, head, unlocked, deadline_after(MBOX_LOCK_WAIT_MS));
}
