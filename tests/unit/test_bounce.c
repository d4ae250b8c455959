/* bounce - appending to bounce/N when things go wrong; spare - the descriptor kept for that. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "keptlog.h"
#include "queuedir.h"
#include "send/bounce.h"
#include "tap.h"

static unsigned syncs, failing_syncs;	/* so far; bit N: the N-th fails */

static int
count_sync(void)
{
	bool fails = syncs < 32 && failing_syncs >> syncs & 1U;

	syncs++;
	if (fails)
		errno = EIO;
	return fails ? -1 : 0;
}

int
fsync(int fd)
{
	(void)fd;
	return count_sync();
}

int
fdatasync(int fd)
{
	(void)fd;
	return count_sync();
}

struct fixture {
	struct qlayout q;
	struct activity log;
	struct spare spare;
	struct bounces b;
	struct buf said;
};

static void
prepare(struct fixture *f)
{
	*f = (struct fixture){ .spare = { -1 } };
	f->log = (struct activity){ .emit = keptlog_add, .arg = &f->said, .tag = "" };
	f->b = (struct bounces){ .q = &f->q, .log = &f->log, .spare = &f->spare };
	spare_claim(&f->spare);
}

static void
finish(struct fixture *f)
{
	buf_free(&f->b.paragraph);
	buf_free(&f->log.line);
	buf_free(&f->said);
	(void)close(f->spare.fd);
}

static size_t
append(struct fixture *f, uint64_t id, const char *recipient)
{
	return bounce_append(&f->b, id, span_str(recipient), span_str("no\n"));
}

static void
file_is(struct tap *t, const char *path, const char *want, const char *name)
{
	struct buf text = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ok(t, fd != -1 && io_read_all(fd, &text) == IO_OK, "%s can be read", path);
	if (fd != -1)
		(void)close(fd);
	is(t, buf_span(&text), span_str(want), name);
	buf_free(&text);
}

static void
test_turns(struct tap *t)
{
	struct fixture f;
	size_t a, b;

	prepare(&f);
	a = append(&f, 5, "x@y");
	b = append(&f, 7, "z@y");
	ok(t, a != BOUNCE_NONE && b != BOUNCE_NONE && a != b, "two files in a turn");
	ok(t, append(&f, 5, "w@y") == a, "the same file again");
	bounce_commit(&f.b);
	ok(t, bounce_kept(&f.b, a) && bounce_kept(&f.b, b), "both are kept");
	bounce_next(&f.b);
	ok(t, append(&f, 5, "v@y") != BOUNCE_NONE, "another turn");
	bounce_commit(&f.b);
	bounce_next(&f.b);
	file_is(t, "bounce/5", "<x@y>:\nno\n\n<w@y>:\nno\n\n<v@y>:\nno\n\n", "in order");
	file_is(t, "bounce/7", "<z@y>:\nno\n\n", "each in its own");
	ok(t, f.said.n == 0, "nothing is logged");
	finish(&f);
}

/* Every turn has room for so many files, and one more is refused, not lost. */
static void
test_many_files(struct tap *t)
{
	struct fixture f;
	bool good = true;

	prepare(&f);
	for (uint64_t id = 100; id < 100 + BOUNCE_FILES; id++)
		good = good && append(&f, id, "x@y") != BOUNCE_NONE;
	ok(t, good, "%d files", BOUNCE_FILES);
	ok(t, append(&f, 99, "x@y") == BOUNCE_NONE, "not one more");
	ok(t, access("bounce/99", F_OK) == -1, "of which nothing is made");
	bounce_commit(&f.b);
	bounce_next(&f.b);
	ok(t, append(&f, 99, "x@y") != BOUNCE_NONE, "but in the next turn");
	bounce_commit(&f.b);
	bounce_next(&f.b);
	finish(&f);
}

/* The largest size of a file stands for a full disk. */
static void
test_full_disk(struct tap *t)
{
	struct rlimit limit, before;
	struct fixture f;
	size_t a, old, fresh;

	prepare(&f);
	a = append(&f, 11, "x@y");
	bounce_commit(&f.b);
	bounce_next(&f.b);
	(void)getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 15;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	old = append(&f, 11, "long@y");
	fresh = append(&f, 12, "quite-a-long-one@y");
	bounce_commit(&f.b);
	bounce_next(&f.b);
	(void)setrlimit(RLIMIT_FSIZE, &before);		/* it also concerns our own output */
	ok(t, a != BOUNCE_NONE && old == BOUNCE_NONE, "no room");
	ok(t, fresh == BOUNCE_NONE, "nor in a new file");
	file_is(t, "bounce/11", "<x@y>:\nno\n\n", "the file is as before");
	ok(t, access("bounce/12", F_OK) == -1, "no empty file stays");
	is(t, buf_span(&f.said),
	    span_str("alert: unable to append to bounce message; HELP! sleeping...\n"),
	    "one alert for both");
	finish(&f);
}

static void
test_no_descriptors(struct tap *t)
{
	struct rlimit limit, before;
	struct fixture f;
	int last, taken[64];
	size_t n = 0;

	prepare(&f);
	(void)getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 40;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	while (n < 64 && (last = open("/dev/null", O_RDONLY | O_CLOEXEC)) != -1)
		taken[n++] = last;
	ok(t, errno == EMFILE, "no descriptor is left");
	ok(t, append(&f, 13, "x@y") != BOUNCE_NONE, "the spare one serves");
	ok(t, f.spare.fd == -1, "and is in use");
	ok(t, append(&f, 14, "x@y") == BOUNCE_NONE, "there is only one");
	bounce_next(&f.b);
	ok(t, f.spare.fd != -1, "it is claimed again");
	while (n)
		(void)close(taken[--n]);
	(void)setrlimit(RLIMIT_NOFILE, &before);
	finish(&f);
}

/* A directory in the place of the file: nothing can be appended, nor must it be removed. */
static void
test_strange_file(struct tap *t)
{
	struct fixture f;

	prepare(&f);
	ok(t, mkdir("bounce/15", 0700) == 0, "a directory");
	ok(t, append(&f, 15, "x@y") == BOUNCE_NONE, "is no bounce file");
	bounce_commit(&f.b);
	bounce_next(&f.b);
	ok(t, rmdir("bounce/15") == 0, "and stays");
	finish(&f);
}

#define BYTES(text) { text, sizeof text - 1 }

/* What a power cut may leave of paragraphs that were never synced. */
static void
test_torn(struct tap *t)
{
	static const struct {
		const char *name;
		struct span before;
		const char *after;
	} rows[] = {
		{ "nothing", BYTES(""), "<x@y>:\nno\n\n" },
		{ "a whole paragraph", BYTES("<a@b>:\nno\n\n"),
			"<a@b>:\nno\n\n<x@y>:\nno\n\n" },
		{ "NULs", BYTES("\0\0\0\0"), "<x@y>:\nno\n\n" },
		{ "NULs behind a paragraph", BYTES("<a@b>:\nno\n\n\0\0"),
			"<a@b>:\nno\n\n<x@y>:\nno\n\n" },
		{ "part of a line", BYTES("<a@"), "<a@\n\n<x@y>:\nno\n\n" },
		{ "part of a line, then NULs", BYTES("<a@\0"), "<a@\n\n<x@y>:\nno\n\n" },
		{ "no blank line", BYTES("<a@b>:\n"), "<a@b>:\n\n<x@y>:\nno\n\n" },
	};
	struct fixture f;

	prepare(&f);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int fd = open("bounce/55", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		ok(t, fd != -1 && io_write_all(fd, rows[i].before.p, rows[i].before.n) == 0 &&
		    close(fd) == 0 && append(&f, 55, "x@y") != BOUNCE_NONE, "%s", rows[i].name);
		bounce_commit(&f.b);
		bounce_next(&f.b);
		file_is(t, "bounce/55", rows[i].after, rows[i].name);
	}
	finish(&f);
}

/* The syncs of a turn: of the file, and if that fails of the one written anew and of its entry;
 * then of the directory. */
static void
test_bad_sync(struct tap *t)
{
	static const struct {
		const char *name;
		unsigned failing;
		bool kept;
	} rows[] = {
		{ "the file", 1U << 0, true },
		{ "the file and the new one", 1U << 0 | 1U << 1, false },
		{ "the file and the entry of the new one", 1U << 0 | 1U << 2, false },
		{ "the file, then the directory", 1U << 0 | 1U << 3, false },
		{ "the directory", 1U << 1, false },
	};
	struct fixture f;

	prepare(&f);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t file;

		(void)unlink("bounce/56");
		failing_syncs = 0;
		ok(t, append(&f, 56, "a@b") != BOUNCE_NONE, "a turn that succeeds");
		bounce_commit(&f.b);
		bounce_next(&f.b);
		file = append(&f, 56, "x@y");
		syncs = 0;
		failing_syncs = rows[i].failing;
		bounce_commit(&f.b);
		failing_syncs = 0;
		ok(t, bounce_kept(&f.b, file) == rows[i].kept, "no sync of %s", rows[i].name);
		bounce_next(&f.b);
		file_is(t, "bounce/56", rows[i].kept ? "<a@b>:\nno\n\n<x@y>:\nno\n\n" :
		    "<a@b>:\nno\n\n", "  the file is as it should be");
		ok(t, access("bounce/56.tmp", F_OK) == -1, "  and the only one");
	}
	finish(&f);
}

int
main(void)
{
	struct tap t = { 0 };
	char top[64];

	(void)signal(SIGXFSZ, SIG_IGN);
	queuedir_enter(top, false);
	test_turns(&t);
	test_many_files(&t);
	test_full_disk(&t);
	test_no_descriptors(&t);
	test_strange_file(&t);
	test_torn(&t);
	test_bad_sync(&t);
	queuedir_leave(top);
	return done(&t);
}
