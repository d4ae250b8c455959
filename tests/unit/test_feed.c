/* feed: programs on input that is made for them. */
#include "lib/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "scratch.h"
#include "tap.h"

static const struct {
	const char *name, *script;
	const char *head, *rest;
	enum feed_status status;
	int code;
} rows[] = {
	{ "head, then the rest", "cat >out", "a\n", "b\n", FEED_OK, 0 },
	{ "nothing at all", "cat >out", "", "", FEED_OK, 0 },
	{ "its own code", "cat >out; exit 75", "a\n", "b", FEED_OK, 75 },
	{ "the last code", "cat >out; exit 255", "", "b", FEED_OK, 255 },
	{ "killed", "cat >out; kill -9 $$", "a\n", "b", FEED_CRASH, 0 },
};

static int
open_file(const char *text)
{
	int fd = open("in", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || io_write_all(fd, text, strlen(text)) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	return fd;
}

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char shell[] = "sh", option[] = "-c", script[64];
		char *argv[] = { shell, option, script, NULL };
		struct buf got = { 0 }, want = { 0 };
		int code = 0, fd = open_file(rows[i].rest), out;

		(void)snprintf(script, sizeof script, "%s", rows[i].script);
		ok(t, feed_run(argv, span_str(rows[i].head), fd, &code) == rows[i].status &&
		    (rows[i].status != FEED_OK || code == rows[i].code), "%s", rows[i].name);
		out = open("out", O_RDONLY | O_CLOEXEC);
		buf_adds(&want, rows[i].head);
		buf_adds(&want, rows[i].rest);
		is(t, io_read_all(out, &got) == IO_OK ? buf_span(&got) : span_str("unread"),
		    buf_span(&want), "  what it got");
		buf_free(&got);
		buf_free(&want);
		(void)close(fd);
		(void)close(out);
	}
}

static void
test_trouble(struct tap *t)
{
	char yes[] = "true", none[] = "./nonexistent", cat[] = "cat";
	int code = 7, dir = open(".", O_RDONLY | O_CLOEXEC);
	struct buf big = { 0 };

	ok(t, feed_run((char *[]){ none, NULL }, span_str("x"), 0, &code) == FEED_EXEC &&
	    errno == ENOENT, "no such program");
	ok(t, feed_run((char *[]){ cat, NULL }, span_str("x"), dir, &code) == FEED_READ &&
	    errno == EISDIR, "a descriptor that cannot be read");
	for (int i = 0; i < 300000; i++)
		buf_addc(&big, 'x');
	ok(t, feed_run((char *[]){ yes, NULL }, buf_span(&big), dir, &code) == FEED_OK && code == 0,
	    "a program that does not read");
	buf_free(&big);
	(void)close(dir);
}

/* It must not take what came before the trouble for a whole message. */
static void
test_half(struct tap *t)
{
	char shell[] = "sh", option[] = "-c", script[] = "cat >half; mv half whole";
	char *argv[] = { shell, option, script, NULL };
	int code = 7, dir = open(".", O_RDONLY | O_CLOEXEC);
	struct buf head = { 0 };

	for (int i = 0; i < 10000; i++)
		buf_addc(&head, 'x');
	ok(t, feed_run(argv, buf_span(&head), dir, &code) == FEED_READ, "trouble in the middle");
	ok(t, access("whole", F_OK) == -1, "  the program has seen no end");
	buf_free(&head);
	(void)close(dir);
}

/* A descriptor that somebody else has made non-blocking, and that has nothing yet. */
static void
test_nonblocking(struct tap *t)
{
	char shell[] = "sh", option[] = "-c", script[] = ": >go; cat >out";
	char *argv[] = { shell, option, script, NULL };
	int code = 7, ends[2], status, out;
	struct buf got = { 0 };
	pid_t pid;

	if (mkfifo("go", 0600) == -1 || sys_pipe(ends) == -1 || io_nonblock(ends[0], true) == -1)
		abort();
	pid = proc_fork();
	if (pid == 0) {
		int fd = open("go", O_RDONLY);		/* when the program has started */

		_exit(fd == -1 || io_write_all(ends[1], "late", 4) == -1);
	}
	(void)close(ends[1]);
	ok(t, feed_run(argv, span_str("a\n"), ends[0], &code) == FEED_OK && code == 0,
	    "input that comes late");
	out = open("out", O_RDONLY | O_CLOEXEC);
	is(t, io_read_all(out, &got) == IO_OK ? buf_span(&got) : span_str("unread"),
	    span_str("a\nlate"), "  all of it");
	ok(t, pid > 0 && proc_wait(pid, &status) == 0 && status == 0, "  it was sent");
	buf_free(&got);
	(void)close(out);
	(void)close(ends[0]);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };

	sig_ignore(SIGPIPE);
	scratch_enter(&s);
	test_rows(&t);
	test_trouble(&t);
	test_half(&t);
	test_nonblocking(&t);
	scratch_leave(&s);
	return done(&t);
}
