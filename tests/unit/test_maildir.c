/* maildir: names, delivering, listing.  */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/sig.h"
#include "mail/maildir.h"

#include "scratch.h"
#include "tap.h"

static const char *const subs[] = { "box", "box/tmp", "box/new", "box/cur" };

static int
message(const char *text)
{
	return scratch_file("message", text);
}

/* Number of entries but dot files; *name becomes the last one. */
static int
entries(const char *dir, struct buf *name)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int n = 0;

	if (!d)
		return -1;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			n++;
			buf_reset(name);
			buf_adds(name, e->d_name);
		}
	closedir(d);
	return n;
}

static void
make_box(void)
{
	for (size_t i = 0; i < sizeof subs / sizeof subs[0]; i++)
		if (mkdir(subs[i], 0700) == -1)
			abort();
}

static void
empty(const char *dir)
{
	struct buf name = { 0 }, path = { 0 };

	while (entries(dir, &name) > 0) {
		buf_reset(&path);
		buf_adds(&path, dir);
		buf_addc(&path, '/');
		buf_addbuf(&path, &name);
		if (unlink(buf_str(&path)) == -1)
			break;
	}
	buf_free(&name);
	buf_free(&path);
}

static void
test_names(struct tap *t)
{
	struct buf a = { 0 }, b = { 0 }, hostile = { 0 };
	char letters[100];

	maildir_add_name(&a, 1);
	maildir_add_name(&b, 2);
	ok(t, !span_eq(buf_span(&a), buf_span(&b)), "two names differ");
	buf_reset(&a);
	maildir_add_name_of(&a, 7, span_str("a/b:c"));
	ok(t, strstr(buf_str(&a), "Q7.a\\057b\\072c"), "slash and colon are written in octal");
	buf_reset(&a);
	maildir_add_name_of(&a, 0, span_str(""));
	ok(t, strstr(buf_str(&a), "Q0.localhost"), "no host name");
	buf_reset(&a);
	memset(letters, 'h', sizeof letters);
	maildir_add_name_of(&a, 0, span_of(letters, 64));
	buf_reset(&b);
	maildir_add_name_of(&b, 0, span_of(letters, 65));
	ok(t, strlen(strstr(buf_str(&a), "Q0.")) == 3 + 64, "64 bytes of a host name");
	ok(t, strlen(strstr(buf_str(&b), "Q0.")) == 3 + 64, "but not 65");
	for (int i = 0; i < 64; i++)
		buf_addc(&hostile, i % 2 ? '/' : '\n');
	buf_reset(&a);
	maildir_add_name_of(&a, 4000000000U, buf_span(&hostile));
	ok(t, a.n <= MAILDIR_NAME_MAX && !strchr(buf_str(&a), '/') && !strchr(buf_str(&a), '\n'),
	    "a hostile host name stays within the limit: %zu", a.n);
	buf_free(&a);
	buf_free(&b);
	buf_free(&hostile);
}

static void
test_delivery(struct tap *t)
{
	struct buf name = { 0 }, path = { 0 }, text = { 0 };
	int fd = message("Subject: x\n\nbody, no end");
	struct stat st;

	umask(077);
	is_num(t, maildir_deliver("./box/", fd, span_str("H: 1\n")), MAILDIR_OK, "delivered");
	is_num(t, entries("box/new", &name), 1, "one file in new/");
	is_num(t, entries("box/tmp", &name), 0, "none in tmp/");
	is_num(t, entries("box/new", &name), 1, "its name");
	buf_adds(&path, "box/new/");
	buf_addbuf(&path, &name);
	is_num(t, stat(buf_str(&path), &st), 0, "stat");
	is_num(t, st.st_mode & 07777, 0600, "mode");
	is_num(t, (long)st.st_nlink, 1, "one link");
	close(fd);
	fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
	ok(t, io_read_all(fd, &text) == IO_OK, "readable");
	is(t, buf_span(&text), span_str("H: 1\nSubject: x\n\nbody, no end"), "head and message");
	close(fd);
	empty("box/new");
	buf_free(&name);
	buf_free(&path);
	buf_free(&text);
}

/* Sizes around the copy buffer, with heads of several sizes. */
static void
test_sizes(struct tap *t)
{
	static const size_t sizes[] = { 0, 1, 32767, 32768, 32769, 65536, 1000001 };
	static const size_t heads[] = { 0, 1, 32768, 40000 };
	char *text = calloc(1, 1000002);
	struct buf name = { 0 }, path = { 0 };
	struct stat st;

	memset(text, 'x', 1000001);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (size_t j = 0; j < sizeof heads / sizeof heads[0]; j++) {
			int fd;

			text[sizes[i]] = '\0';
			fd = message(text);
			text[sizes[i]] = 'x';
			if (maildir_deliver("box", fd, span_of(text, heads[j])) != MAILDIR_OK ||
			    entries("box/new", &name) != 1)
				abort();
			close(fd);
			buf_reset(&path);
			buf_adds(&path, "box/new/");
			buf_addbuf(&path, &name);
			ok(t, stat(buf_str(&path), &st) == 0 &&
			    (size_t)st.st_size == sizes[i] + heads[j], "%zu + %zu bytes", heads[j],
			    sizes[i]);
			empty("box/new");
		}
	free(text);
	buf_free(&name);
	buf_free(&path);
}

static void
test_failures(struct tap *t)
{
	struct rlimit before, small = { 3, 3 };
	struct buf name = { 0 };
	int fd = message("abcdef"), write_only;

	is_num(t, maildir_deliver("./none/", fd, span_str("")), MAILDIR_NODIR, "no such directory");
	is_num(t, maildir_deliver("message/", fd, span_str("")), MAILDIR_NODIR, "not a directory");
	is_num(t, rename("box/new", "box/old"), 0, "without new/");
	is_num(t, maildir_deliver("box/", fd, span_str("")), MAILDIR_TEMPORARY, "  temporary");
	is_num(t, errno, ENOENT, "  errno");
	is_num(t, entries("box/tmp", &name), 0, "  nothing left in tmp/");
	is_num(t, rename("box/old", "box/new"), 0, "with it again");
	is_num(t, rename("box/tmp", "box/old"), 0, "without tmp/");
	is_num(t, maildir_deliver("box/", fd, span_str("")), MAILDIR_TEMPORARY, "  temporary");
	is_num(t, rename("box/old", "box/tmp"), 0, "with it again");
	write_only = open("message", O_WRONLY | O_CLOEXEC);
	is_num(t, maildir_deliver("box/", write_only, span_str("h")), MAILDIR_READ, "unreadable");
	is_num(t, entries("box/tmp", &name) + entries("box/new", &name), 0, "  nothing left");
	close(write_only);
	sig_ignore(SIGXFSZ);
	getrlimit(RLIMIT_FSIZE, &before);
	small.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	lseek(fd, 0, SEEK_SET);
	is_num(t, maildir_deliver("box/", fd, span_str("")), MAILDIR_TEMPORARY, "disk full");
	is_num(t, errno, EFBIG, "  errno");
	setrlimit(RLIMIT_FSIZE, &before);
	is_num(t, entries("box/tmp", &name) + entries("box/new", &name), 0, "  nothing left");
	close(fd);
	buf_free(&name);
}

static void
put_file(const char *path, int64_t time)
{
	const struct timespec times[2] = { { .tv_sec = (time_t)time }, { .tv_sec = (time_t)time } };
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || io_write_all(fd, "12345", 5) == -1 || futimens(fd, times) == -1)
		abort();
	close(fd);
}

static void
test_listing(struct tap *t)
{
	static const char *const want[] = { "cur/c:2,S", "new/a", "new/b" };
	struct maildir_list list;

	put_file("box/new/b", 1000);
	put_file("box/new/a", 1000);
	put_file("box/new/.hidden", 1000);
	put_file("box/new/late", 2000);
	put_file("box/cur/c:2,S", 999);
	if (mkdir("box/cur/dir", 0700) == -1 || chdir("box") == -1)
		abort();
	is_num(t, maildir_scan(&list, 2000), 0, "scan");
	if (is_num(t, (long)list.n, 3, "messages listed"))
		for (size_t i = 0; i < list.n; i++)
			is(t, span_str(list.messages[i].path), span_str(want[i]), "in order");
	ok(t, list.n && list.messages[0].size == 5 && list.messages[0].mtime == 999, "size, time");
	maildir_list_free(&list);
	is_num(t, maildir_scan(&list, 2001), 0, "a second later");
	is_num(t, (long)list.n, 4, "the late one is there");
	maildir_list_drop(&list, 1);
	ok(t, list.n == 3 && !strcmp(list.messages[0].path, want[0]) &&
	    !strcmp(list.messages[1].path, want[2]), "one taken off in the middle");
	maildir_list_drop(&list, 2);
	ok(t, list.n == 2 && !strcmp(list.messages[1].path, want[2]), "and the last");
	maildir_list_free(&list);
	is_num(t, rename("cur", "cur2"), 0, "without cur/");
	is_num(t, maildir_scan(&list, 2001), -1, "  it fails");
	is_num(t, errno, ENOENT, "  errno");
	maildir_list_free(&list);
	is_num(t, maildir_scan_new(&list, 2000), 0, "new/ alone is enough for some");
	ok(t, list.n == 2 && !strcmp(list.messages[0].path, want[1]), "  it has two");
	maildir_list_free(&list);
	if (rename("cur2", "cur") == -1)
		abort();
}

static void
test_cleaning(struct tap *t)
{
	int64_t now = 10000000;
	struct buf name = { 0 };

	put_file("tmp/old", now - MAILDIR_STALE_S - 1);
	put_file("tmp/.old", now - MAILDIR_STALE_S - 1);
	put_file("tmp/edge", now - MAILDIR_STALE_S);
	maildir_clean_tmp(now);
	is_num(t, entries("tmp", &name), 1, "only what is older than 36 hours goes");
	is(t, buf_span(&name), span_str("edge"), "36 hours exactly stays");
	is_num(t, access("tmp/.old", F_OK), 0, "dot files stay");
	buf_free(&name);
}

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	scratch_enter(&scratch);
	make_box();
	test_names(&t);
	test_delivery(&t);
	test_sizes(&t);
	test_failures(&t);
	test_listing(&t);
	test_cleaning(&t);
	scratch_leave(&scratch);
	return done(&t);
}
