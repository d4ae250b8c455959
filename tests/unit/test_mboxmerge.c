/* mboxmerge: messages of a Maildir at the end of an mbox. */
#include "local/mboxmerge.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys.h"

#include "scratch.h"
#include "tap.h"

static const struct {
	const char *line, *sender;
} senders[] = {
	{ "Return-Path: <a@b>", "a@b" },
	{ "Return-Path: <>", "" },
	{ "Return-Path: <a b@c>", "a b@c" },
	{ "Return-Path: <a>b>", "a>b" },
	{ "Return-Path: <\"a\"@b>\r", "\"a\"@b" },
	{ "Return-Path: <a@b> \t", "a@b" },
	{ "Return-Path: <a@b", "XXX" },
	{ "Return-Path: <", "XXX" },
	{ "Return-Path:<a@b>", "XXX" },
	{ "Return-Path: a@b", "XXX" },
	{ "return-path: <a@b>", "XXX" },
	{ "Subject: <a>", "XXX" },
	{ "", "XXX" },
};

/* An old mbox (NULL: none), a message of 1970, the new mbox. */
static const struct {
	const char *name, *old, *message, *want;
} rows[] = {
	{ "no mbox", NULL, "S: 1\n\nx\n", "From XXX Thu Jan 01 00:16:40 1970\nS: 1\n\nx\n\n" },
	{ "empty mbox", "", "\n", "From XXX Thu Jan 01 00:16:40 1970\n\n\n" },
	{ "appended", "From a\n\n", "x\n", "From a\n\nFrom XXX Thu Jan 01 00:16:40 1970\nx\n\n" },
	{ "mbox without LF", "From a\n\nb", "x\n",
	    "From a\n\nb\n\nFrom XXX Thu Jan 01 00:16:40 1970\nx\n\n" },
	{ "message without LF", "", "x", "From XXX Thu Jan 01 00:16:40 1970\nx\n\n" },
	{ "empty message", "", "", "From XXX Thu Jan 01 00:16:40 1970\n\n" },
	{ "From_ line", "", "Return-Path: <a b@c>\nFrom x\n>From y",
	    "From a-b@c Thu Jan 01 00:16:40 1970\nReturn-Path: <a b@c>\n>From x\n>>From y\n\n" },
};

static void
put(const char *path, struct span text)
{
	int fd = scratch_file(path, "");

	if (io_write_all(fd, text.p, text.n) == -1)
		abort();
	(void)close(fd);
}

static void
get(const char *path, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	buf_reset(to);
	if (fd == -1)
		buf_adds(to, "(absent)");
	else if (io_read_all(fd, to) != IO_OK || close(fd) == -1)
		abort();
}

/* The list that a scan gives. */
static void
scan(struct maildir_list *list, time_t first)
{
	struct timespec times[2] = { { .tv_sec = first }, { .tv_sec = first } };

	if (utimensat(AT_FDCWD, "new/1", times, 0) == -1 || maildir_scan(list, 1) == -1)
		abort();
}

static enum mboxmerge_status
merge(const char *path, const char *tmp, struct maildir_list *list)
{
	struct mboxmerge m = MBOXMERGE(path, tmp);
	enum mboxmerge_status status;
	int error;

	m.lock_wait_ms = 100;
	status = mboxmerge_write(&m, list);
	error = errno;
	mboxmerge_close(&m);
	errno = error;
	return status;
}

static void
test_rows(struct tap *t)
{
	struct buf got = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct maildir_list list;

		(void)unlink("box");
		if (rows[i].old)
			put("box", span_str(rows[i].old));
		put("new/1", span_str(rows[i].message));
		scan(&list, 1000);
		is_num(t, merge("box", "box.tmp", &list), MBOXMERGE_OK, rows[i].name);
		get("box", &got);
		is(t, buf_span(&got), span_str(rows[i].want), "  mbox");
		ok(t, access("box.tmp", F_OK) == -1 && access("new/1", F_OK) == 0,
		    "  message stays, temporary file does not");
		maildir_list_free(&list);
	}
	buf_free(&got);
}

/* Any bytes, and more of them than fit into one piece. */
static void
test_bytes(struct tap *t)
{
	struct maildir_list list;
	struct buf text = { 0 }, want = { 0 }, got = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_addc(&text, (char)(i % 251));
	put("box", buf_span(&text));
	put("new/1", buf_span(&text));
	scan(&list, 1000);
	is_num(t, merge("box", "box.tmp", &list), MBOXMERGE_OK, "all bytes");
	get("box", &got);
	buf_addbuf(&want, &text);
	buf_adds(&want, "\n\nFrom XXX Thu Jan 01 00:16:40 1970\n");
	buf_addbuf(&want, &text);
	buf_adds(&want, "\n\n");
	ok(t, span_eq(buf_span(&got), buf_span(&want)), "  as they are");
	maildir_list_free(&list);
	buf_free(&text);
	buf_free(&want);
	buf_free(&got);
}

static void
test_attributes(struct tap *t)
{
	struct maildir_list list;
	struct stat before, st;

	put("box", span_str(""));
	put("new/1", span_str("x\n"));
	scan(&list, 1000);
	ok(t, chmod("box", 0640) == 0 && stat("box", &before) == 0 &&
	    merge("box", "box.tmp", &list) == MBOXMERGE_OK && stat("box", &st) == 0 &&
	    st.st_mode == before.st_mode && st.st_uid == before.st_uid &&
	    st.st_gid == before.st_gid && st.st_ino != before.st_ino, "mode and owner stay");
	ok(t, symlink("box", "link") == 0 && merge("link", "box.tmp", &list) == MBOXMERGE_OK &&
	    lstat("link", &st) == 0 && S_ISLNK(st.st_mode), "a link stays a link");
	ok(t, stat("box", &st) == 0 && st.st_size == 2 * 37, "  what it leads to has grown");
	maildir_list_free(&list);
}

static void
test_vanished(struct tap *t)
{
	struct maildir_list list;
	struct buf got = { 0 };

	put("box", span_str("From a\n\n"));
	put("new/1", span_str("1\n"));
	put("new/2", span_str("2\n"));
	scan(&list, 1000);
	(void)unlink("new/2");
	is_num(t, merge("box", "box.tmp", &list), MBOXMERGE_OK, "one message is gone");
	get("box", &got);
	ok(t, strstr(buf_str(&got), "\n1\n\n") && !strstr(buf_str(&got), "\n2\n"), "  the other");
	ok(t, list.n == 1 && strcmp(list.messages[0].path, "new/1") == 0, "  is on the list");
	(void)unlink("new/1");
	put("box", span_str("From a\n\n"));
	is_num(t, merge("box", "box.tmp", &list), MBOXMERGE_OK, "all are gone");
	get("box", &got);
	is(t, buf_span(&got), span_str("From a\n\n"), "  the mbox is as it was");
	ok(t, list.n == 0 && access("box.tmp", F_OK) == -1, "  nothing else is left");
	maildir_list_free(&list);
	buf_free(&got);
}

/* Whatever goes wrong: the mbox is as it was, and nothing is left. */
static void
refuses(struct tap *t, const char *name, enum mboxmerge_status got, enum mboxmerge_status want)
{
	struct buf box = { 0 };

	is_num(t, got, want, name);
	get("box", &box);
	is(t, buf_span(&box), span_str("From a\n\n"), "  the mbox is as it was");
	buf_free(&box);
}

static void
test_tmp(struct tap *t, struct maildir_list *list)
{
	int fd;

	refuses(t, "the mbox itself", merge("box", "box", list), MBOXMERGE_SAME);
	if (link("box", "other") == -1 || symlink("box", "alias") == -1)
		abort();
	refuses(t, "a link to it", merge("box", "other", list), MBOXMERGE_SAME);
	refuses(t, "a symbolic link", merge("box", "alias", list), MBOXMERGE_CREATE);
	refuses(t, "a directory", merge("box", "new", list), MBOXMERGE_CREATE);
	refuses(t, "no such directory", merge("box", "none/tmp", list), MBOXMERGE_CREATE);
	fd = scratch_file("box.tmp", "in use");
	if (sys_flock(fd) == -1)
		abort();
	refuses(t, "in use", merge("box", "box.tmp", list), MBOXMERGE_CREATE);
	ok(t, errno == EBUSY && access("box.tmp", F_OK) == 0, "  it stays");
	(void)close(fd);
}

static void
test_box(struct tap *t, struct maildir_list *list)
{
	int fd = open("box", O_RDWR | O_CLOEXEC);

	if (sys_flock(fd) == -1)
		abort();
	refuses(t, "locked", merge("box", "box.tmp", list), MBOXMERGE_LOCK);
	is_num(t, errno, ETIMEDOUT, "  errno");
	(void)close(fd);
	refuses(t, "no directory", merge("none/box", "box.tmp", list), MBOXMERGE_LOCK);
	is_num(t, merge("/dev/null", "box.tmp", list), MBOXMERGE_TYPE, "a device");
	is_num(t, merge("new", "box.tmp", list), MBOXMERGE_LOCK, "a directory");
}

static void
test_refusals(struct tap *t)
{
	struct maildir_list list;
	struct buf got = { 0 };

	put("box", span_str("From a\n\n"));
	put("new/1", span_str("x\n"));
	scan(&list, 1000);
	test_tmp(t, &list);
	test_box(t, &list);
	if (unlink("new/1") == -1 || mkdir("new/1", 0700) == -1)
		abort();
	refuses(t, "unreadable message", merge("box", "box.tmp", &list), MBOXMERGE_READ);
	is_num(t, errno, EISDIR, "  errno");
	ok(t, access("box.tmp", F_OK) == -1, "  nothing else is left");
	maildir_list_free(&list);
	if (rmdir("new/1") == -1)
		abort();
	put("new/1", span_str("x\n"));
	scan(&list, 1000);
	put("box.tmp", span_str("of a run that died"));
	is_num(t, merge("box", "box.tmp", &list), MBOXMERGE_OK, "an old temporary file");
	get("box", &got);
	ok(t, !strstr(buf_str(&got), "died") && strstr(buf_str(&got), "\nx\n\n"), "  is not used");
	maildir_list_free(&list);
	buf_free(&got);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++)
		is(&t, mboxmerge_sender(span_str(senders[i].line)), span_str(senders[i].sender),
		    senders[i].line);
	scratch_enter(&s);
	if (mkdir("new", 0700) == -1 || mkdir("cur", 0700) == -1)
		abort();
	test_rows(&t);
	test_bytes(&t);
	test_attributes(&t);
	test_vanished(&t);
	test_refusals(&t);
	scratch_leave(&s);
	return done(&t);
}
