/* enqueue - takes one message from S1 to S4.
 *
 * What must be on disk before what (X before Y is asked for):
 *	O1  body, and its entry in mess/S	before the link to todo
 *	O2  envelope				before the link to todo
 *	O3  entry in todo			before success is reported
 * Where a journal keeps the order (lib/journal.h), both files are written out before the link, and
 * the sync for O3 makes one commit for all of it.  Elsewhere each is synced by itself; both files
 * are written out first, the envelope to its end, so that the first fsync does most of the work.
 * For O3 the envelope is synced again if its new name needs that (fsops_sync_names). */
#include "queue/enqueue.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/date.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/journal.h"
#include "lib/sys.h"
#include "queue/envelope.h"

#define CHUNK 16384
/* Bytes of a long body after which they are handed to the disk, while more arrives. */
#define WRITEBACK_STEP ((size_t)1 << 20)

/* Raw envelope records for every message, compiled in by sites that log all mail. */
#ifndef QUEUE_EXTRA
#define QUEUE_EXTRA ""
#endif

/* ---- S1 -> S2 ---- */

/* Creates a file under a name of its own in pid/. */
static int
create_pid_file(struct enqueue *e)
{
	int fd = -1;

	for (unsigned k = 1; fd == -1 && k <= QLAYOUT_PID_TRIES; k++) {
		qlayout_pid_path(e->pid_path, e->pid, e->start, k);
		fd = fsops_create(e->pid_path, 0644);
	}
	if (fd == -1)
		e->pid_path[0] = '\0';
	return fd;
}

static int
remove_pid_name(struct enqueue *e)
{
	int r = e->pid_path[0] ? unlink(e->pid_path) : 0;

	e->pid_path[0] = '\0';
	return r;
}

/* The number of the file just made is in use by what an older message left behind.  The file stays
 * open, so the next one gets another number. */
static enum qqcode
refuse_number(struct enqueue *e)
{
	if (e->refusals == ENQUEUE_NUMBERS)
		return QQ_MESS;
	e->refused[e->refusals++] = e->mess_fd;
	e->mess_fd = -1;
	return remove_pid_name(e) == -1 ? QQ_PID : QQ_OK;
}

/* The number of a file is the name of the message, so it must not change by itself. */
static bool
same_file(const char *path, const struct stat *want)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == want->st_dev && st.st_ino == want->st_ino;
}

/* Tries the number of a new file.  *done is set if it could be had. */
static enum qqcode
try_number(struct enqueue *e, bool *done)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;
	int stale;

	if ((e->mess_fd = create_pid_file(e)) == -1 || fstat(e->mess_fd, &st) == -1)
		return QQ_PID;
	e->id = st.st_ino;
	if ((stale = qlayout_exists(&e->layout, Q_TODO, e->id)) == -1)
		return QQ_TODO;
	qlayout_path(&e->layout, path, Q_MESS, e->id);
	if (stale == 1)
		return refuse_number(e);
	if (link(e->pid_path, path) == -1)
		return errno == EEXIST ? refuse_number(e) : QQ_MESS;
	e->has_mess = *done = true;
	return same_file(path, &st) ? QQ_OK : QQ_MESS;
}

enum qqcode
enqueue_reserve(struct enqueue *e)
{
	enum qqcode code = QQ_OK;
	bool done = false;

	while (code == QQ_OK && !done)
		code = try_number(e, &done);
	if (code == QQ_OK && remove_pid_name(e) == -1)
		code = QQ_PID;
	return code;
}

/* ---- S2 ---- */

enum qqcode
enqueue_message(struct enqueue *e, struct span received, int fd)
{
	char in_buf[CHUNK], out_buf[CHUNK];
	enum io_status status;
	struct io_out out;
	struct io_in in;
	size_t pending = 0;

	io_in_init(&in, fd, in_buf, sizeof in_buf);
	io_out_init(&out, e->mess_fd, out_buf, sizeof out_buf);
	io_putspan(&out, received);
	io_putspan(&out, e->results);
	while ((status = io_fill(&in)) == IO_OK && out.status == IO_OK) {
		struct span chunk = io_peek(&in);

		io_putspan(&out, chunk);
		io_skip(&in, chunk.n);
		if ((pending += chunk.n) >= WRITEBACK_STEP) {
			sys_start_writeback(e->mess_fd);
			pending = 0;
		}
	}
	if (out.status != IO_OK)
		return QQ_WRITE;
	if (status != IO_EOF)
		return QQ_READ;
	if (io_flush(&out) == -1)
		return QQ_WRITE;
	sys_start_writeback(e->mess_fd);
	return QQ_OK;
}

/* ---- S2 -> S3 ---- */

static int
create_intd(struct enqueue *e)
{
	e->intd_fd = qlayout_create(&e->layout, Q_INTD, e->id);
	if (e->intd_fd == -1 && errno == EEXIST &&
	    /* The number is ours alone, so this one's owner is gone. */
	    qlayout_remove(&e->layout, Q_INTD, e->id) == 0)
		e->intd_fd = qlayout_create(&e->layout, Q_INTD, e->id);
	e->has_intd = e->intd_fd != -1;
	return e->intd_fd;
}

/* Copies one address and its NUL. */
static enum qqcode
copy_address(struct enqueue *e, struct io_in *in, struct io_out *out, enum envelope_type type)
{
	char address[ENVELOPE_ADDRESS_MAX];
	size_t n = 0;
	char c;

	for (;;) {
		if (io_getc(in, &c) != IO_OK)
			return QQ_READ;
		if (c == '\0')
			break;
		if (n == sizeof address)
			return QQ_ADDRESS_TOO_LONG;
		address[n++] = c;
	}
	envelope_put(out, type, span_of(address, n));
	return taps_see(&e->taps, type, span_of(address, n)) == TAPS_OK ? QQ_OK : QQ_MEMORY;
}

static enum qqcode
put_tap(const struct enqueue *e, struct io_out *out)
{
	struct span address = taps_address(&e->taps);

	if (address.n)
		envelope_put(out, ENVELOPE_RECIPIENT, address);
	return QQ_OK;
}

static enum qqcode
copy_records(struct enqueue *e, struct io_in *in, struct io_out *out)
{
	enum qqcode code;
	char type;

	if (io_getc(in, &type) != IO_OK)
		return QQ_READ;
	if (type != ENVELOPE_SENDER)
		return QQ_FORMAT;
	if ((code = copy_address(e, in, out, ENVELOPE_SENDER)) != QQ_OK)
		return code;
	io_put(out, QUEUE_EXTRA, sizeof QUEUE_EXTRA - 1);
	while (out->status == IO_OK) {
		if (io_getc(in, &type) != IO_OK)
			return QQ_READ;
		if (type == '\0')
			return put_tap(e, out);
		if (type != ENVELOPE_RECIPIENT)
			return QQ_FORMAT;
		if ((code = copy_address(e, in, out, ENVELOPE_RECIPIENT)) != QQ_OK)
			return code;
	}
	return QQ_WRITE;
}

enum qqcode
enqueue_envelope(struct enqueue *e, int fd)
{
	char in_buf[CHUNK], out_buf[CHUNK];
	struct io_out out;
	struct io_in in;
	enum qqcode code;

	if (create_intd(e) == -1)
		return QQ_INTD;
	io_in_init(&in, fd, in_buf, sizeof in_buf);
	io_out_init(&out, e->intd_fd, out_buf, sizeof out_buf);
	envelope_put_number(&out, ENVELOPE_UID, e->uid);
	envelope_put_number(&out, ENVELOPE_PID, (uint64_t)e->pid);
	if ((code = copy_records(e, &in, &out)) != QQ_OK)
		return code;
	return io_flush(&out) == -1 ? QQ_WRITE : QQ_OK;
}

/* ---- S3 -> S4 ---- */

/* Are both files in the care of one journal that keeps the order? */
static bool
one_journal(const struct enqueue *e)
{
	struct stat mess, intd;

	return fstat(e->mess_fd, &mess) == 0 && fstat(e->intd_fd, &intd) == 0 &&
	    mess.st_dev == intd.st_dev && journal_keeps_order(e->mess_fd);
}

/* O1 and O2. */
static enum qqcode
settle_files(struct enqueue *e)
{
	e->ordered = one_journal(e);
	if (e->ordered)
		return journal_settle(e->intd_fd, true) == -1 ||
		    journal_settle(e->mess_fd, true) == -1 ? QQ_WRITE : QQ_OK;
	if (sys_finish_writeback(e->intd_fd) == -1 || fsops_sync(e->mess_fd) == -1 ||
	    fsops_sync(e->intd_fd) == -1)
		return QQ_WRITE;
	return qlayout_sync_dir(&e->layout, Q_MESS, e->id) == -1 ? QQ_MESS : QQ_OK;
}

/* The sweep takes files older than 36 h by the wall clock; a clock that jumped may make ours so. */
static enum qqcode
check_unswept(const struct enqueue *e)
{
	struct stat mess, intd;

	if (date_now() - e->start >= QLAYOUT_WRITER_MAX_S)
		return QQ_TIMEOUT;
	if (fstat(e->mess_fd, &mess) == -1 || fstat(e->intd_fd, &intd) == -1 ||
	    mess.st_nlink != 1 || intd.st_nlink != 1)
		return QQ_TODO;
	return QQ_OK;
}

/* Links intd/N to todo/N.  An error may be reported although the link was made. */
static enum qqcode
link_todo(struct enqueue *e)
{
	char from[QLAYOUT_PATH_SIZE], to[QLAYOUT_PATH_SIZE];
	struct stat ours, st;

	qlayout_path(&e->layout, from, Q_INTD, e->id);
	qlayout_path(&e->layout, to, Q_TODO, e->id);
	if (link(from, to) == 0)
		return QQ_OK;
	e->keep = true;		/* until we know */
	if (fstat(e->intd_fd, &ours) == -1)
		return QQ_TODO;
	if (stat(to, &st) == 0) {
		if (st.st_dev == ours.st_dev && st.st_ino == ours.st_ino)
			return QQ_OK;
		e->keep = false;
	} else if (errno == ENOENT) {
		e->keep = false;
	}
	return QQ_TODO;
}

enum qqcode
enqueue_publish(struct enqueue *e)
{
	enum qqcode code;

	if ((code = settle_files(e)) != QQ_OK || (code = check_unswept(e)) != QQ_OK ||
	    (code = link_todo(e)) != QQ_OK)
		return code;
	/* The scanner may own the message from here on, whatever we tell our client. */
	e->keep = true;
	if ((!e->ordered && fsops_sync_names(e->intd_fd) == -1) ||
	    qlayout_sync_dir(&e->layout, Q_TODO, e->id) == -1)
		return QQ_TODO;
	return QQ_OK;		/* the mail is safe */
}

/* ---- any -> S1 ---- */

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

enum qqcode
enqueue_abandon(struct enqueue *e, enum qqcode code)
{
	if (!e->keep && code != QQ_TIMEOUT) {
		(void)remove_pid_name(e);
		/* An envelope without a message would be worse than the reverse. */
		if (!e->has_intd || qlayout_remove(&e->layout, Q_INTD, e->id) == 0) {
			e->has_intd = false;
			if (e->has_mess && qlayout_remove(&e->layout, Q_MESS, e->id) == 0)
				e->has_mess = false;
		}
	}
	while (e->refusals)
		close_fd(&e->refused[--e->refusals]);
	close_fd(&e->mess_fd);
	close_fd(&e->intd_fd);
	taps_free(&e->taps);
	return code;
}
