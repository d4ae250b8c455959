/* feed: programs on input that is made for them. */
#include "lib/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/sig.h"
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

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };

	sig_ignore(SIGPIPE);
	scratch_enter(&s);
	test_rows(&t);
	test_trouble(&t);
	scratch_leave(&s);
	return done(&t);
}
