/* maildir - mailboxes of one file per message: delivering.
 *
 * Two waits for the disk: the message's data and its name in tmp/, then its name in new/.  The
 * order keeps readers from ever seeing a file that is not complete and not on disk.  Where a
 * journal keeps the order (lib/journal.h) the second commits what the first has written out. */
#include "mail/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/deadline.h"
#include "lib/errtext.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/journal.h"
#include "lib/sys.h"

#define HOST_MAX 64		/* bytes of a host name that count */
#define ATTEMPTS 20		/* names tried before giving up */
#define COPY_SIZE 32768

struct delivery {
	const char *dir;
	struct buf tmp, new;	/* paths */
	int fd;			/* of the file, -1 when closed */
	bool ordered;		/* lib/journal.h */
	unsigned attempt;
	int64_t deadline;
};

static void
add_escaped(struct buf *to, char c)
{
	char octal[8];
	int n = snprintf(octal, sizeof octal, "\\%03o", (unsigned)(unsigned char)c);

	if (n == 4)
		buf_add(to, octal, 4);
}

void
maildir_add_name_of(struct buf *to, unsigned n, struct span host)
{
	size_t start = to->n;
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	buf_addnum(to, (uint64_t)now.tv_sec);
	buf_adds(to, ".M");
	buf_addnum(to, (uint64_t)now.tv_nsec / 1000);
	buf_addc(to, 'P');
	buf_addnum(to, (uint64_t)getpid());
	buf_addc(to, 'Q');
	buf_addnum(to, n);
	buf_addc(to, '.');
	host = host.n ? span_head(host, HOST_MAX) : span_str("localhost");
	for (size_t i = 0; i < host.n && to->n - start + 4 <= MAILDIR_NAME_MAX; i++) {
		char c = host.p[i];

		if (c == '/' || c == ':' || !ascii_isgraph(c))
			add_escaped(to, c);
		else
			buf_addc(to, c);
	}
}

void
maildir_add_name(struct buf *to, unsigned n)
{
	char host[256];

	if (gethostname(host, sizeof host) == -1)
		host[0] = '\0';
	host[sizeof host - 1] = '\0';	/* a name that is cut need not be terminated */
	maildir_add_name_of(to, n, span_str(host));
}

/* path = dir / sub / name, or a name made for it if that is NULL. */
static void
set_path(struct buf *path, const struct delivery *d, const char *sub, const char *name)
{
	struct span dir = span_str(d->dir);

	buf_reset(path);
	buf_addspan(path, dir);
	if (dir.n && dir.p[dir.n - 1] != '/')
		buf_addc(path, '/');
	buf_adds(path, sub);
	if (name)
		buf_adds(path, name);
	else
		maildir_add_name(path, d->attempt);
}

/* Why nothing can be created: is it the Maildir that is missing? */
static enum maildir_status
blame(const struct delivery *d)
{
	struct buf path = { 0 };
	int error = errno;
	struct stat st;
	enum maildir_status status = MAILDIR_TEMPORARY;

	set_path(&path, d, "", ".");	/* looking up `.` needs what chdir(2) needs */
	if (buf_ok(&path) && stat(buf_str(&path), &st) == -1 && !errtext_temporary(errno))
		status = MAILDIR_NODIR;
	buf_free(&path);
	errno = error;
	return status;
}

static enum maildir_status
create_tmp(struct delivery *d)
{
	for (; d->attempt < ATTEMPTS; d->attempt++) {
		set_path(&d->tmp, d, "tmp/", NULL);
		if (!buf_ok(&d->tmp)) {
			errno = ENOMEM;
			return MAILDIR_TEMPORARY;
		}
		d->fd = fsops_create(buf_str(&d->tmp), 0644);
		if (d->fd != -1)
			return MAILDIR_OK;
		if (errno != EEXIST)
			return blame(d);
	}
	return MAILDIR_TEMPORARY;
}

/* Head and message go out in pieces of COPY_SIZE, so that a small message is one write. */
static enum maildir_status
copy(const struct delivery *d, int from, struct span head)
{
	char piece[COPY_SIZE];
	struct io_out out;
	ssize_t r;

	io_out_init(&out, d->fd, piece, sizeof piece);
	io_putspan(&out, head);
	for (;;) {
		if (deadline_now() >= d->deadline)
			return MAILDIR_TIMEOUT;
		if (out.n == out.size && io_flush(&out) == -1)
			return MAILDIR_TEMPORARY;
		r = io_read(from, out.buf + out.n, out.size - out.n);
		if (r <= 0)
			break;
		out.n += (size_t)r;
	}
	if (r == -1)
		return MAILDIR_READ;
	return io_flush(&out) == -1 ? MAILDIR_TEMPORARY : MAILDIR_OK;
}

static enum maildir_status
store(struct delivery *d, int from, struct span head)
{
	enum maildir_status status = copy(d, from, head);

	if (status != MAILDIR_OK)
		return status;
	d->ordered = journal_keeps_order(d->fd);
	return journal_settle(d->fd, d->ordered) == -1 ? MAILDIR_TEMPORARY : MAILDIR_OK;
}

static bool
same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	    sa.st_ino == sb.st_ino;
}

/* Gives the file its name in new/, the same as in tmp/ unless that is taken.  0, or -1 with
 * errno. */
static int
link_new(struct delivery *d)
{
	const char *tmp = buf_str(&d->tmp);
	const char *name = strrchr(tmp, '/') + 1;

	for (; d->attempt < ATTEMPTS; d->attempt++, name = NULL) {
		const char *new;
		int error;

		set_path(&d->new, d, "new/", name);
		if (!buf_ok(&d->new)) {
			errno = ENOMEM;
			return -1;
		}
		new = buf_str(&d->new);
		if (link(tmp, new) == 0)
			return 0;
		error = errno;
		/* NFS repeats a request whose answer was lost: then the link is our own. */
		if (error == EEXIST && same_file(tmp, new))
			return 0;
		if (error == EPERM || error == EOPNOTSUPP || error == ENOSYS) {
			if (sys_rename_new(tmp, new) == 0)
				return 0;
			error = errno;
		}
		errno = error;
		if (error != EEXIST)
			return -1;
	}
	return -1;
}

static int
close_file(struct delivery *d)
{
	int fd = d->fd;

	d->fd = -1;
	return fd == -1 ? 0 : close(fd);
}

static enum maildir_status
publish(struct delivery *d)
{
	int error;

	if (link_new(d) == -1)
		return MAILDIR_TEMPORARY;
	if (fsops_sync_entry(buf_str(&d->new), d->ordered ? -1 : d->fd) == 0 && close_file(d) == 0)
		return MAILDIR_OK;	/* from here on the mail is safe */
	error = errno;
	(void)unlink(buf_str(&d->new));
	errno = error;
	return MAILDIR_TEMPORARY;
}

enum maildir_status
maildir_deliver(const char *dir, int fd, struct span head)
{
	struct delivery d = { .dir = dir, .fd = -1,
		.deadline = deadline_after(MAILDIR_TIMEOUT_MS) };
	enum maildir_status status = create_tmp(&d);
	int error;

	if (status == MAILDIR_OK) {
		status = store(&d, fd, head);
		if (status == MAILDIR_OK)
			status = publish(&d);
		error = errno;
		(void)close_file(&d);	/* of a failed delivery */
		(void)unlink(buf_str(&d.tmp));
		errno = error;
	}
	error = errno;
	buf_free(&d.tmp);
	buf_free(&d.new);
	errno = error;
	return status;
}
