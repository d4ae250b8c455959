/* mboxfmt: From_ quoting, delivering, rolling back, locks. */
#include "mail/mboxfmt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sig.h"
#include "lib/sys.h"

#include "scratch.h"
#include "tap.h"

static const struct {
	const char *name, *in, *out;
} texts[] = {
	{ "empty", "", "\n" },
	{ "plain", "a\nb\n", "a\nb\n\n" },
	{ "no LF at the end", "a\nb", "a\nb\n\n" },
	{ "From_ line", "From x\n", ">From x\n\n" },
	{ "From_ line with >", ">From x\n>>>From y\n", ">>From x\n>>>>From y\n\n" },
	{ "just the word", "From \n", ">From \n\n" },
	{ "without the space", "From\nFrom:\n>Fro\n", "From\nFrom:\n>Fro\n\n" },
	{ "other case", "from x\nFROM x\n", "from x\nFROM x\n\n" },
	{ "inside a line", "x From y\n > From z\n>From z\n", "x From y\n > From z\n>>From z\n\n" },
	{ "> after the beginning", "F>From x\nFr>om\n", "F>From x\nFr>om\n\n" },
	{ "FFrom", "FFrom x\nFrFrom x\n", "FFrom x\nFrFrom x\n\n" },
	{ "ends inside the word", "a\nFro", "a\nFro\n\n" },
	{ "ends after the word", "From ", ">From \n\n" },
	{ "ends in >", "a\n>>", "a\n>>\n\n" },
	{ "empty lines", "\n\nFrom a\n\n", "\n\n>From a\n\n\n" },
	{ "CR stays", "From a\r\n\r\n", ">From a\r\n\r\n\n" },
};

static void
render(const char *in, size_t step, int fd)
{
	char buffer[16];
	struct mboxfmt m = { 0 };
	struct io_out out;

	if (ftruncate(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	io_out_init(&out, fd, buffer, sizeof buffer);
	for (struct span left = span_str(in); left.n; left = span_tail(left, step))
		mboxfmt_put(&m, &out, span_head(left, step));
	mboxfmt_end(&m, &out);
	if (io_flush(&out) == -1)
		abort();
}

static struct span
contents(int fd, struct buf *b)
{
	buf_reset(b);
	if (lseek(fd, 0, SEEK_SET) == -1 || io_read_all(fd, b) != IO_OK)
		abort();
	return buf_span(b);
}

static void
test_format(struct tap *t)
{
	int fd = scratch_file("out", "");
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (size_t step = 1; step < 64; step *= 3) {
			render(texts[i].in, step, fd);
			is(t, contents(fd, &b), span_str(texts[i].out), texts[i].name);
		}
	close(fd);
	buf_free(&b);
}

static enum mbox_status
deliver(const char *path, int message, const char *head)
{
	int unlocked;

	if (lseek(message, 0, SEEK_SET) == -1)
		abort();
	return mboxfmt_deliver_by(path, message, span_str(head), &unlocked, deadline_after(300));
}

static struct span
file(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return span_str("(absent)");
	contents(fd, b);
	close(fd);
	return buf_span(b);
}

static void
test_delivery(struct tap *t)
{
	int message = scratch_file("message", "S: x\n\nFrom y");
	struct buf b = { 0 };
	struct stat st;

	umask(077);
	is_num(t, deliver("box", message, "From a\n"), MBOX_OK, "new file");
	is(t, file("box", &b), span_str("From a\nS: x\n\n>From y\n\n"), "its contents");
	ok(t, stat("box", &st) == 0 && (st.st_mode & 07777) == 0600, "its mode");
	is_num(t, deliver("box", message, "From b\n"), MBOX_OK, "appended");
	is(t, file("box", &b), span_str("From a\nS: x\n\n>From y\n\nFrom b\nS: x\n\n>From y\n\n"),
	    "both are there");
	is_num(t, symlink("target", "dangling"), 0, "a dangling link");
	is_num(t, deliver("dangling", message, ""), MBOX_OK, "  is followed");
	is_num(t, access("target", F_OK), 0, "  and its target made");
	is_num(t, deliver("/dev/null", message, ""), MBOX_OK, "/dev/null");
	is_num(t, deliver("none/box", message, ""), MBOX_OPEN, "no directory");
	is_num(t, errno, ENOENT, "  errno");
	is_num(t, deliver(".", message, ""), MBOX_OPEN, "a directory");
	is_num(t, errno, EISDIR, "  errno");
	is_num(t, mkfifo("fifo", 0600), 0, "a FIFO without reader");
	is_num(t, deliver("fifo", message, ""), MBOX_OPEN, "  does not hang");
	is_num(t, errno, ENXIO, "  errno");
	is_num(t, deliver("/dev/full", message, ""), MBOX_WRITE, "/dev/full");
	is_num(t, errno, ENOSPC, "  errno");
	close(message);
	buf_free(&b);
}

/* What is there when a message comes, and what stands before its From_ line afterwards. */
static const struct {
	const char *name, *before, *after;
} ends[] = {
	{ "complete", "From a\n\nx\n\n", "From a\n\nx\n\n" },
	{ "no empty line", "From a\n\nx\n", "From a\n\nx\n" },
	{ "inside a line", "From a\n\nx", "From a\n\nx\n" },
	{ "inside the first", "Fr", "Fr\n" },
	{ "empty", "", "" },
};

static void
test_torn(struct tap *t)
{
	int message = scratch_file("message", "y\n");
	struct buf b = { 0 }, wanted = { 0 };
	struct stat before, after;

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		int box = scratch_file("box", ends[i].before);

		if (fstat(box, &before) == -1)
			abort();
		is_num(t, deliver("box", message, "From b\n"), MBOX_OK, ends[i].name);
		ok(t, fstat(box, &after) == 0 && before.st_atim.tv_sec == after.st_atim.tv_sec &&
		    before.st_atim.tv_nsec == after.st_atim.tv_nsec, "  not read, for biff");
		buf_reset(&wanted);
		buf_adds(&wanted, ends[i].after);
		buf_adds(&wanted, "From b\ny\n\n");
		is(t, contents(box, &b), buf_span(&wanted), "  appended");
		close(box);
	}
	is_num(t, chmod("box", 0200), 0, "unreadable");
	is_num(t, deliver("box", message, "From b\n"), MBOX_OK, "  is written all the same");
	close(message);
	buf_free(&b);
	buf_free(&wanted);
}

static void
test_roll_back(struct tap *t)
{
	struct rlimit before, small = { 40000, 0 };
	int message, wrong, box;
	struct buf big = { 0 }, b = { 0 };

	while (big.n < 100000)
		buf_adds(&big, "0123456789\n");
	message = scratch_file("message", buf_str(&big));
	box = scratch_file("box", "old\n");
	sig_ignore(SIGXFSZ);
	getrlimit(RLIMIT_FSIZE, &before);
	small.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	is_num(t, deliver("box", message, "From a\n"), MBOX_WRITE, "file too big");
	is_num(t, errno, EFBIG, "  errno");
	setrlimit(RLIMIT_FSIZE, &before);
	is(t, contents(box, &b), span_str("old\n"), "  nothing stays");
	close(message);
	wrong = open("message", O_WRONLY | O_CLOEXEC);
	is_num(t, deliver("box", wrong, "From a\n"), MBOX_READ, "unreadable message");
	is(t, contents(box, &b), span_str("old\n"), "  nothing stays");
	close(wrong);
	close(box);
	buf_free(&big);
	buf_free(&b);
}

/* A child that takes a lock of the file, tells so, and holds it until `until` is closed. */
static pid_t
holder(const char *path, bool by_fcntl, int until, int ready)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	pid_t pid = fork();
	int fd;
	char c;

	if (pid != 0)
		return pid;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1 || (by_fcntl ? fcntl(fd, F_SETLK, &whole) : sys_flock_try(fd)) == -1)
		_exit(1);
	if (io_write_all(ready, "", 1) == -1)
		_exit(1);
	(void)io_read(until, &c, 1);
	_exit(0);
}

static void
test_lock(struct tap *t, bool by_fcntl)
{
	int message = scratch_file("message", "x\n"), box = scratch_file("box", "");
	int until[2], ready[2], status = 1;
	struct buf b = { 0 };
	pid_t pid;
	char c;

	if (sys_pipe(until) == -1 || sys_pipe(ready) == -1)
		abort();
	pid = holder("box", by_fcntl, until[0], ready[1]);
	is_num(t, io_read(ready[0], &c, 1), 1, by_fcntl ? "somebody holds fcntl" : "... flock");
	is_num(t, deliver("box", message, ""), MBOX_LOCKED, "  we give up in time");
	is(t, contents(box, &b), span_str(""), "  nothing was written");
	if (io_write_all(until[1], "", 1) == -1 || waitpid(pid, &status, 0) != pid)
		abort();
	is_num(t, status, 0, "  it ends");
	is_num(t, deliver("box", message, ""), MBOX_OK, "  then it works");
	for (int i = 0; i < 2; i++) {
		close(until[i]);
		close(ready[i]);
	}
	close(message);
	close(box);
	buf_free(&b);
}

/* Eight writers at once: every message must be there in one piece. */
static void
test_crowd(struct tap *t)
{
	enum { WRITERS = 8, EACH = 10 };
	struct buf b = { 0 }, body = { 0 };
	size_t want;
	int failed = 0;

	for (int i = 0; i < 8000; i++)
		buf_adds(&body, "line\n");
	close(scratch_file("message", buf_str(&body)));
	(void)unlink("box");
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0) {
			int unlocked, fd = open("message", O_RDONLY | O_CLOEXEC), bad = 0;

			for (int j = 0; j < EACH; j++) {
				if (lseek(fd, 0, SEEK_SET) == -1)
					bad = 1;
				bad |= mboxfmt_deliver("box", fd, span_str("From x\n"),
				    &unlocked) != MBOX_OK;
			}
			_exit(bad);
		}
	for (int i = 0, status; i < WRITERS; i++)
		if (wait(&status) == -1 || status != 0)
			failed++;
	is_num(t, failed, 0, "all writers succeeded");
	want = (size_t)WRITERS * EACH * (body.n + strlen("From x\n\n"));
	is_num(t, (long long)file("box", &b).n, (long long)want, "size");
	failed = 0;
	for (size_t at = 0; at < b.n; at += want / (WRITERS * EACH))
		failed += strncmp(b.p + at, "From x\nline\n", 12) != 0;
	is_num(t, failed, 0, "no two mixed");
	buf_free(&b);
	buf_free(&body);
}

/* Waits until the process has the file open. */
static void
await_open(pid_t pid, int file_fd)
{
	char path[64];
	struct stat want, st;

	if (fstat(file_fd, &want) == -1)
		abort();
	for (int fd = 3;; fd = fd < 20 ? fd + 1 : 3) {
		(void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, fd);
		if (fd != file_fd && stat(path, &st) == 0 && st.st_ino == want.st_ino &&
		    st.st_dev == want.st_dev)
			return;
	}
}

/* The file is replaced while we wait for its lock: the message must go to the new one. */
static void
test_replaced(struct tap *t)
{
	int message = scratch_file("message", "x\n"), old = scratch_file("box", "old\n");
	struct buf b = { 0 };
	int until[2], ready[2], status = 1;
	pid_t keeper, writer;
	char c;

	if (sys_pipe(until) == -1 || sys_pipe(ready) == -1)
		abort();
	keeper = holder("box", false, until[0], ready[1]);
	(void)io_read(ready[0], &c, 1);
	close(scratch_file("new", "new\n"));
	if ((writer = fork()) == 0) {
		int unlocked;

		_exit(mboxfmt_deliver("box", message, span_str(""), &unlocked) != MBOX_OK);
	}
	await_open(writer, old);
	if (rename("new", "box") == -1 || io_write_all(until[1], "", 1) == -1 ||
	    waitpid(keeper, NULL, 0) != keeper || waitpid(writer, &status, 0) != writer)
		abort();
	is_num(t, status, 0, "delivered");
	is(t, contents(old, &b), span_str("old\n"), "not into the file that was renamed over");
	is(t, file("box", &b), span_str("new\nx\n\n"), "but into the one that is there");
	for (int i = 0; i < 2; i++) {
		close(until[i]);
		close(ready[i]);
	}
	close(message);
	close(old);
	buf_free(&b);
}

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	scratch_enter(&scratch);
	test_format(&t);
	test_delivery(&t);
	test_torn(&t);
	test_roll_back(&t);
	test_lock(&t, false);
	test_lock(&t, true);
	test_crowd(&t);
	test_replaced(&t);
	scratch_leave(&scratch);
	return done(&t);
}
