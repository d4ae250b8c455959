/* io: limits, deadlines, pieces, and who reads what. */
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/sys.h"
#include "scratch.h"
#include "tap.h"

static void
make_pipe(int fds[2])
{
	if (sys_pipe(fds) == -1)
		abort();
}

static void
close_both(const int fds[2])
{
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* A descriptor from which exactly this text can be read. */
static int
source(const char *text)
{
	int fds[2];

	make_pipe(fds);
	if (io_write_all(fds[1], text, strlen(text)) == -1)
		abort();
	(void)close(fds[1]);
	return fds[0];
}

static void
test_plain(struct tap *t)
{
	int fds[2];
	char text[8];

	make_pipe(fds);
	ok(t, io_write_all(fds[1], "", 0) == 0, "write nothing");
	ok(t, io_write_all(fds[1], "abc", 3) == 0 && io_read(fds[0], text, 8) == 3, "write, read");
	(void)close(fds[1]);
	ok(t, io_read(fds[0], text, 8) == 0, "end");
	(void)close(fds[0]);
	ok(t, io_read(fds[0], text, 8) == -1 && errno == EBADF, "read error");
	ok(t, io_write_all(fds[1], "x", 1) == -1 && errno == EBADF, "write error");
	make_pipe(fds);
	(void)close(fds[0]);
	ok(t, io_write_all(fds[1], "x", 1) == -1 && errno == EPIPE, "no reader");
	(void)close(fds[1]);
}

/* What is too long is found out by its size if it is a file, else by reading. */
static void
test_read_all_too_long(struct tap *t)
{
	struct buf b = BUF_CAP(40000), text = { 0 };
	int fd = scratch_file("sparse", ""), fds[2];

	if (ftruncate(fd, (off_t)5 << 30) == -1)
		abort();
	ok(t, io_read_all(fd, &b) == IO_TOOLONG && b.over, "5 GiB: too long");
	ok(t, lseek(fd, 0, SEEK_CUR) == 0, "nothing of it was read");
	buf_reset(&b);
	if (lseek(fd, ((off_t)5 << 30) - 40000, SEEK_SET) == -1)
		abort();
	ok(t, io_read_all(fd, &b) == IO_OK && b.n == 40000, "the rest of it counts");
	ok(t, lseek(fd, -1, SEEK_END) != -1 && io_read_all(fd, &b) == IO_TOOLONG && b.over,
	    "and what the buffer has already");
	(void)close(fd);
	buf_reset(&b);
	for (size_t k = 0; k < 40001; k++)
		buf_addc(&text, 'x');
	make_pipe(fds);
	if (io_write_all(fds[1], text.p, text.n) == -1)
		abort();
	(void)close(fds[1]);
	ok(t, io_read_all(fds[0], &b) == IO_TOOLONG && b.over, "a pipe has no size");
	(void)close(fds[0]);
	buf_free(&b);
	buf_free(&text);
}

/* A file of `size` bytes into a buffer with the cap 40000: below, at, above, for every way the
 * steps of the reading can fall. */
static void
test_read_all(struct tap *t)
{
	static const size_t sizes[] = { 0, 1, 16383, 16384, 16385, 32768, 39998, 39999, 40000,
		40001, 80000 };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf b = BUF_CAP(40000), text = { 0 };
		int fd = scratch_file("all", "");
		enum io_status status;

		for (size_t k = 0; k < sizes[i]; k++)
			buf_addc(&text, (char)(k % 253));
		if (io_write_all(fd, text.p, text.n) == -1 || lseek(fd, 0, SEEK_SET) == -1)
			abort();
		status = io_read_all(fd, &b);
		if (sizes[i] > 40000)
			ok(t, status == IO_TOOLONG && !buf_ok(&b) && b.over, "%zu bytes: too long",
			    sizes[i]);
		else
			ok(t, status == IO_OK && span_eq(buf_span(&b), buf_span(&text)),
			    "%zu bytes", sizes[i]);
		(void)close(fd);
		buf_free(&b);
		buf_free(&text);
	}
	{
		struct buf b = { 0 };
		int fd = open(".", O_RDONLY | O_CLOEXEC);

		ok(t, io_read_all(fd, &b) == IO_ERROR && errno == EISDIR, "directory");
		(void)close(fd);
		fd = source("cd");
		buf_adds(&b, "ab");
		ok(t, io_read_all(fd, &b) == IO_OK && strcmp(buf_str(&b), "abcd") == 0, "appends");
		b.failed = true;
		ok(t, io_read_all(fd, &b) == IO_TOOLONG, "failed buffer");
		(void)close(fd);
		buf_free(&b);
	}
}

static void
test_wait(struct tap *t)
{
	int fds[2];

	make_pipe(fds);
	ok(t, io_wait_readable(fds[0], deadline_after(20)) == IO_TIMEOUT, "nothing to read");
	ok(t, io_wait_readable(fds[0], deadline_after(-1)) == IO_TIMEOUT, "deadline passed");
	ok(t, io_wait_writable(fds[1], DEADLINE_NONE) == IO_OK, "room to write");
	ok(t, io_write_all(fds[1], "x", 1) == 0 &&
	    io_wait_readable(fds[0], DEADLINE_NONE) == IO_OK, "something to read");
	close_both(fds);
}

static void
test_get_until(struct tap *t)
{
	for (size_t size = 1; size <= 16; size++) {
		struct buf b = BUF_CAP(5);
		char memory[16];
		struct io_in in;
		int fd = source("ab\n\n12345\n123456\ntail");

		io_in_init(&in, fd, memory, size);
		ok(t, io_get_until(&in, '\n', &b) == IO_OK && strcmp(buf_str(&b), "ab") == 0,
		    "line, buffer of %zu", size);
		buf_reset(&b);
		ok(t, io_get_until(&in, '\n', &b) == IO_OK && b.n == 0, "empty line");
		ok(t, io_get_until(&in, '\n', &b) == IO_OK && b.n == 5, "line at the cap");
		buf_reset(&b);
		ok(t, io_get_until(&in, '\n', &b) == IO_TOOLONG && b.over, "line over the cap");
		buf_reset(&b);
		ok(t, io_get_until(&in, '\n', &b) == IO_EOF && strcmp(buf_str(&b), "tail") == 0,
		    "the rest of it was thrown away; no separator");
		buf_reset(&b);
		ok(t, io_get_until(&in, '\n', &b) == IO_EOF && b.n == 0, "end");
		(void)close(fd);
		buf_free(&b);
	}
}

static void
test_reader(struct tap *t)
{
	char memory[4], c = 0;
	struct io_in in;
	int fds[2];

	make_pipe(fds);
	io_in_init(&in, fds[0], memory, sizeof memory);
	in.timeout_ms = 20;
	ok(t, io_fill(&in) == IO_TIMEOUT, "timeout of one read");
	in.timeout_ms = DEADLINE_NONE;
	in.deadline = deadline_after(20);
	ok(t, io_fill(&in) == IO_TIMEOUT, "deadline of all of it");
	in.deadline = DEADLINE_NONE;
	if (io_write_all(fds[1], "abcdef", 6) == -1)
		abort();
	ok(t, io_fill(&in) == IO_OK && io_peek(&in).n == 4, "fill");
	ok(t, io_getc(&in, &c) == IO_OK && c == 'a', "a byte");
	io_skip(&in, 1);
	is(t, io_peek(&in), span_str("cd"), "peek after skip");
	ok(t, io_fill(&in) == IO_OK && io_peek(&in).n == 2, "no read while bytes are left");
	io_skip(&in, 99);
	ok(t, io_peek(&in).n == 0 && io_fill(&in) == IO_OK && io_peek(&in).n == 2, "skip all");
	io_skip(&in, 2);
	(void)close(fds[1]);
	ok(t, io_fill(&in) == IO_EOF && io_getc(&in, &c) == IO_EOF, "end");
	(void)close(fds[0]);
	ok(t, io_fill(&in) == IO_ERROR && errno == EBADF, "error");
	make_pipe(fds);
	in.fd = fds[0];
	in.timeout_ms = 20;
	ok(t, io_nonblock(fds[0], true) == 0 && io_fill(&in) == IO_TIMEOUT, "not blocking");
	close_both(fds);
}

/* line_wise: what is behind the line stays in the kernel. */
static void
test_line_wise(struct tap *t)
{
	for (int kind = 0; kind < 2; kind++) {
		char memory[64], rest[8];
		struct buf b = { 0 };
		struct io_in in;
		int fds[2];

		if (kind ? sys_pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
			abort();
		if (io_write_all(fds[1], "STLS\r\nrest", 10) == -1)
			abort();
		io_in_init(&in, fds[0], memory, sizeof memory);
		in.line_wise = true;
		ok(t, io_get_until(&in, '\n', &b) == IO_OK && strcmp(buf_str(&b), "STLS\r") == 0 &&
		    io_peek(&in).n == 0, "%s: a line", kind ? "pipe" : "socket");
		ok(t, io_read(fds[0], rest, sizeof rest) == 4 && memcmp(rest, "rest", 4) == 0,
		    "%s: the rest is still there", kind ? "pipe" : "socket");
		close_both(fds);
		buf_free(&b);
	}
}

static void
test_writer(struct tap *t)
{
	char memory[8], got[64];
	struct io_out out;
	int fds[2];

	make_pipe(fds);
	io_out_init(&out, fds[1], memory, sizeof memory);
	io_puts(&out, "ab");
	io_putc(&out, 'c');
	io_putnum(&out, 42);
	io_putspan(&out, span_str("xyz"));
	ok(t, io_nonblock(fds[0], true) == 0 && io_read(fds[0], got, sizeof got) == -1,
	    "nothing is written while it fits");
	io_put(&out, "", 0);
	io_putc(&out, '!');
	ok(t, io_read(fds[0], got, sizeof got) == 8 && memcmp(got, "abc42xyz", 8) == 0,
	    "one byte more writes");
	io_puts(&out, "a long text");
	ok(t, io_read(fds[0], got, sizeof got) == 12 && memcmp(got, "!a long text", 12) == 0,
	    "more than the memory goes at once");
	ok(t, io_flush(&out) == 0 && io_flush(&out) == 0, "flush of nothing");
	(void)close(fds[0]);
	io_puts(&out, "x");
	ok(t, io_flush(&out) == -1 && errno == EPIPE, "no reader");
	errno = 0;
	io_puts(&out, "0123456789");
	ok(t, io_flush(&out) == -1 && errno == EPIPE && out.status == IO_ERROR, "failure sticks");
	(void)close(fds[1]);
}

/* A peer that does not read: pipe or socket, blocking or not, a write must end in time. */
static void
test_slow_peer(struct tap *t)
{
	static char much[1 << 20];

	for (int kind = 0; kind < 4; kind++) {
		const char *name = kind & 1 ? "socket" : "pipe";
		struct io_out out;
		char memory[64];
		int64_t start;
		int fds[2];

		if (kind & 1 ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : sys_pipe(fds))
			abort();
		io_out_init(&out, fds[1], memory, sizeof memory);
		if ((kind & 2) && io_nonblock(fds[1], true) == -1)
			abort();
		out.nonblocking = kind & 2;
		out.timeout_ms = 30;
		start = deadline_now();
		io_put(&out, much, sizeof much);
		ok(t, io_flush(&out) == -1 && out.status == IO_TIMEOUT && errno == ETIMEDOUT,
		    "%s %d: timeout", name, kind);
		ok(t, deadline_now() - start < 5000, "%s %d: in time", name, kind);
		close_both(fds);
	}
}

static void
test_tie(struct tap *t)
{
	char in_memory[8], out_memory[8], got[8];
	struct io_out out;
	struct io_in in;
	int questions[2], answers[2];

	make_pipe(questions);
	make_pipe(answers);
	io_in_init(&in, questions[0], in_memory, sizeof in_memory);
	io_out_init(&out, answers[1], out_memory, sizeof out_memory);
	in.tie = &out;
	in.timeout_ms = 10;
	io_puts(&out, "250");
	ok(t, io_fill(&in) == IO_TIMEOUT && io_read(answers[0], got, 8) == 3,
	    "asking the kernel flushes");
	if (io_write_all(questions[1], "ab", 2) == -1 || io_fill(&in) != IO_OK)
		abort();
	io_puts(&out, "x");
	ok(t, io_fill(&in) == IO_OK && out.n == 1, "not while there is input");
	io_skip(&in, 2);
	(void)close(answers[0]);
	ok(t, io_fill(&in) == IO_ERROR && out.error == EPIPE, "failed flush");
	close_both(questions);
	(void)close(answers[1]);
}

/* In a child, since it takes our standard descriptors. */
static void
test_standard(struct tap *t)
{
	int status;

	fflush(stdout);
	for (int mask = 0; mask < 8; mask++) {
		pid_t pid = fork();

		if (pid == 0) {
			int fd;

			for (fd = 0; fd < 3; fd++)
				if (mask & 1 << fd)
					(void)close(fd);
			if (io_open_standard() == -1)
				_exit(1);
			for (fd = 0; fd < 3; fd++)
				if (fcntl(fd, F_GETFD) != 0)
					_exit(2);
			fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
			_exit(fd > 2 ? 0 : 3);
		}
		ok(t, pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
		    "closed standard descriptors: %d", mask);
	}
}

/* More than is read at once, and an end that cannot be read or written. */
static void
test_copy(struct tap *t)
{
	struct buf text = { 0 }, got = { 0 };
	int from, to;

	while (text.n < 40000)
		buf_addnum(&text, text.n);
	from = scratch_file("from", "");
	ok(t, io_write_all(from, text.p, text.n) == 0 && lseek(from, 10, SEEK_SET) == 10, "a file");
	to = scratch_file("to", "");
	ok(t, io_copy(from, to) == IO_COPIED && io_copy(from, to) == IO_COPIED, "copied");
	ok(t, lseek(to, 0, SEEK_SET) == 0 && io_read_all(to, &got) == IO_OK, "  can be read");
	is_num(t, (long long)got.n, (long long)text.n - 10, "  what was left");
	ok(t, memcmp(got.p, text.p + 10, got.n) == 0, "  as it was");
	(void)close(to);
	ok(t, lseek(from, 0, SEEK_SET) == 0 && io_copy(from, to) == IO_COPY_UNWRITTEN &&
	    errno == EBADF, "cannot be written");
	(void)close(from);
	ok(t, io_copy(from, to) == IO_COPY_UNREAD && errno == EBADF, "cannot be read");
	buf_free(&text);
	buf_free(&got);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	(void)signal(SIGPIPE, SIG_IGN);
	scratch_enter(&s);
	test_plain(&t);
	test_read_all(&t);
	test_read_all_too_long(&t);
	test_wait(&t);
	test_get_until(&t);
	test_reader(&t);
	test_line_wise(&t);
	test_writer(&t);
	test_slow_peer(&t);
	test_tie(&t);
	test_standard(&t);
	test_copy(&t);
	scratch_leave(&s);
	return done(&t);
}
