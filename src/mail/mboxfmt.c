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

/* *end: where the new message begins.  An empty file may be new, by us or by a writer that died:
 * its name must be on disk before the first message counts as delivered.  0, or -1 with errno. */
static int
prepare(const struct mbox *b, off_t *end)
{
	char *real;
	int r, error;

	if (!b->regular)
		return 0;
	if ((*end = lseek(b->fd, 0, SEEK_END)) == -1)
		return -1;
	if (*end != 0 && !b->fresh)
		return 0;
	if (!(real = sys_real_path(b->path)))
		return -1;
	r = fsops_sync_entry(real, b->fd);
	error = errno;
	free(real);
	errno = error;
	return r;
}

/* Does the file end in the middle of a line?  A delivery that a power cut ended leaves such a file,
 * and what is appended would become part of that line.  *look: a descriptor to be closed when the
 * lock may go, as closing any one of the file ends its fcntl locks. */
static bool
ends_in_line(const struct mbox *b, off_t end, int *look)
{
	struct stat ours, st;
	char last = '\n';

	if (!b->regular || end == 0)
		return false;
	*look = sys_open_unseen(b->path);
	return *look != -1 && fstat(*look, &st) == 0 && fstat(b->fd, &ours) == 0 &&
	    st.st_dev == ours.st_dev && st.st_ino == ours.st_ino &&
	    lseek(*look, end - 1, SEEK_SET) != -1 && io_read(*look, &last, 1) == 1 && last != '\n';
}

static enum mbox_status
append(const struct mbox *b, int from_fd, struct span head, bool newline)
{
	char in[COPY_SIZE], piece[COPY_SIZE];
	struct mboxfmt m = { 0 };
	struct io_out out;
	ssize_t r;

	io_out_init(&out, b->fd, piece, sizeof piece);
	if (!b->regular)
		out.timeout_ms = SLOW_PEER_MS;
	if (newline)
		io_putc(&out, '\n');
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
roll_back(const struct mbox *b, off_t end)
{
	int error = errno;

	if (b->regular && b->lock.held && ftruncate(b->fd, end) == 0)
		(void)!fsops_sync(b->fd);
	errno = error;
}

enum mbox_status
mboxfmt_deliver_by(const char *path, int fd, struct span head, int *unlocked,
    int64_t lock_deadline)
{
	struct mbox b;
	enum mbox_status status = mbox_open(&b, path, O_WRONLY, lock_deadline, unlocked);
	off_t end = 0;
	int look = -1;

	if (status == MBOX_OK && prepare(&b, &end) == -1)
		status = MBOX_WRITE;
	else if (status == MBOX_OK &&
	    (status = append(&b, fd, head, ends_in_line(&b, end, &look))) != MBOX_OK)
		roll_back(&b, end);
	if (mbox_close(&b) == -1 && status == MBOX_OK)
		status = MBOX_WRITE;
	if (look != -1)
		(void)close(look);	/* opened for reading: nothing to lose */
	return status;
}

enum mbox_status
mboxfmt_deliver(const char *path, int fd, struct span head, int *unlocked)
{
	return mboxfmt_deliver_by(path, fd, head, unlocked, deadline_after(MBOX_LOCK_WAIT_MS));
}
