/* qlayout: names, layout detection, verification, walks. */
#include "queue/qlayout.h"

#include <errno.h>

#include "lib/conf.h"
#include "queuedir.h"
#include "tap.h"

static const struct {
	enum qdir dir;
	uint64_t id;
	const char *flat, *big;
} paths[] = {
	{ Q_PID, 457, "pid/457", "pid/457" },
	{ Q_MESS, 457, "mess/20/457", "mess/20/457" },
	{ Q_INTD, 457, "intd/457", "intd/20/457" },
	{ Q_TODO, 457, "todo/457", "todo/20/457" },
	{ Q_INFO, 0, "info/0/0", "info/0/0" },
	{ Q_LOCAL, 22, "local/22/22", "local/22/22" },
	{ Q_REMOTE, 23, "remote/0/23", "remote/0/23" },
	{ Q_BOUNCE, 457, "bounce/457", "bounce/457" },
	{ Q_MESS, UINT64_MAX, "mess/5/18446744073709551615", "mess/5/18446744073709551615" },
};

static const struct {
	const char *name;
	bool good;
	uint64_t id;
} names[] = {
	{ "0", true, 0 },
	{ "457", true, 457 },
	{ "007", true, 7 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "99999999999999999999999", false, 0 },
	{ "", false, 0 },
	{ ".", false, 0 },
	{ "-1", false, 0 },
	{ "+1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "1.tmp", false, 0 },
	{ "0x1", false, 0 },
};

static void
test_names(struct tap *t)
{
	const struct qlayout flat = { .big_todo = false }, big = { .big_todo = true };
	const struct qlayout other = { .split = 7 };
	char out[QLAYOUT_PATH_SIZE];

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		is(t, span_str(qlayout_path(&flat, out, paths[i].dir, paths[i].id)),
		    span_str(paths[i].flat), "flat path");
		is(t, span_str(qlayout_path(&big, out, paths[i].dir, paths[i].id)),
		    span_str(paths[i].big), "big-todo path");
	}
	is(t, span_str(qlayout_path(&other, out, Q_INFO, 457)), span_str("info/2/457"),
	    "path of another split");
	is(t, span_str(qlayout_dir_of(&flat, out, Q_TODO, 457)), span_str("todo"), "flat one");
	is(t, span_str(qlayout_dir_of(&big, out, Q_TODO, 457)), span_str("todo/20"), "split one");
	is(t, span_str(qlayout_pid_path(out, 12345, 812091414, 9)),
	    span_str("pid/12345.812091414.9"), "name in pid");
	ok(t, qlayout_dir_mode(Q_MESS) == 0750 && qlayout_file_mode(Q_MESS) == 0644 &&
	    qlayout_dir_mode(Q_INFO) == 0700 && qlayout_file_mode(Q_INFO) == 0600, "modes");
	is(t, span_str(qlayout_owner(Q_TODO)), span_str(USER_QUEUE), "owner of todo");
	is(t, span_str(qlayout_owner(Q_BOUNCE)), span_str(USER_SEND), "owner of bounce");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint64_t id = 0;

		ok(t, qlayout_parse_id(span_str(names[i].name), &id) == names[i].good &&
		    id == names[i].id, "number `%s`", names[i].name);
	}
}

static void
test_files(struct tap *t, const struct qlayout *q)
{
	struct stat st;
	char path[QLAYOUT_PATH_SIZE];
	int fd;

	umask(0);
	ok(t, qlayout_exists(q, Q_INFO, 5) == 0, "not there");
	ok(t, (fd = qlayout_create(q, Q_INFO, 5)) != -1 && fstat(fd, &st) == 0 &&
	    (st.st_mode & 07777) == 0600 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "info is private");
	(void)close(fd);
	ok(t, qlayout_create(q, Q_INFO, 5) == -1 && errno == EEXIST, "created once only");
	ok(t, qlayout_exists(q, Q_INFO, 5) == 1, "there");
	ok(t, (fd = qlayout_create(q, Q_INTD, 5)) != -1 && fstat(fd, &st) == 0 &&
	    (st.st_mode & 07777) == 0644, "intd can be read by all who get there");
	(void)close(fd);
	ok(t, (fd = qlayout_open_read(q, Q_INTD, 5)) != -1, "opened for reading");
	(void)close(fd);
	ok(t, (fd = qlayout_open_write(q, Q_INTD, 5)) != -1, "opened for writing");
	(void)close(fd);
	ok(t, qlayout_open_write(q, Q_INTD, 6) == -1 && errno == ENOENT, "never created by that");
	ok(t, qlayout_sync_dir(q, Q_INTD, 5) == 0, "directory synced");
	errno = EDOM;
	ok(t, qlayout_remove(q, Q_INTD, 5) == 0 && qlayout_remove(q, Q_INTD, 5) == 0 &&
	    errno == EDOM, "removed; absent is as good");
	ok(t, qlayout_remove(q, Q_INFO, 5) == 0, "removed");
	(void)mkdir(qlayout_path(q, path, Q_BOUNCE, 7), 0700);
	ok(t, qlayout_remove(q, Q_BOUNCE, 7) == -1, "trouble with removing is told");
	(void)rmdir(path);
}

static void
test_detect(struct tap *t, bool big)
{
	struct qlayout q = { .big_todo = !big };

	ok(t, qlayout_detect(&q) == 0 && q.big_todo == big, "layout detected");
	ok(t, qlayout_is_split(&q, Q_TODO) == big && qlayout_is_split(&q, Q_INTD) == big &&
	    qlayout_is_split(&q, Q_MESS) && !qlayout_is_split(&q, Q_BOUNCE), "what is split");
	ok(t, qlayout_verify(&q) == NULL, "good queue");
	test_files(t, &q);
	(void)rename("info/7", "info/x7");
	ok(t, qlayout_verify(&q) != NULL, "a subdirectory is missing");
	(void)rename("info/x7", "info/7");
	(void)mkdir("remote/23", 0700);
	ok(t, qlayout_verify(&q) != NULL, "one subdirectory too many");
	(void)rmdir("remote/23");
	(void)mkdir("mess/yanked", 0700);
	ok(t, qlayout_verify(&q) == NULL, "foreign directories are no harm");
	(void)rename("bounce", "x");
	ok(t, qlayout_verify(&q) != NULL, "a directory is missing");
	queuedir_put("bounce", "", 0);
	ok(t, qlayout_verify(&q) != NULL, "a directory is a file");
	(void)unlink("bounce");
	(void)rename("x", "bounce");
	ok(t, qlayout_verify(&q) == NULL, "good again");
}

static void
test_scan(struct tap *t, bool big)
{
	static const char *const foreign[] = { "mess/0/24", "mess/0/.46", "mess/0/46.tmp",
		"mess/0/046", "mess/0/x", "mess/23", "mess/0/99999999999999999999" };
	const struct qlayout q = { .big_todo = big };
	struct qlayout_scan s;
	uint64_t id, sum = 0;
	int n = 0;

	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
		queuedir_put(foreign[i], "", 0);
	queuedir_put("mess/0/46", "", 0);
	queuedir_put("mess/0/0", "", 0);
	queuedir_put("mess/22/22", "", 0);
	queuedir_put("mess/1/24", "", 0);
	qlayout_scan_start(&s, &q, Q_MESS);
	while (qlayout_scan_next(&s, &id)) {
		sum += id;
		n++;
	}
	ok(t, n == 4 && sum == 46 + 22 + 24 && !s.failed, "numbers in their places, once each");
	ok(t, qlayout_scan_next(&s, &id) == 0, "the end stays the end");
	queuedir_put(big ? "todo/1/24" : "todo/24", "", 0);
	qlayout_scan_start(&s, &q, Q_TODO);
	ok(t, qlayout_scan_next(&s, &id) == 1 && id == 24 && qlayout_scan_next(&s, &id) == 0,
	    "todo");
	qlayout_scan_start(&s, &q, Q_MESS);
	ok(t, qlayout_scan_next(&s, &id) == 1, "begun");
	qlayout_scan_stop(&s);
	ok(t, qlayout_scan_next(&s, &id) == 0, "stopped");
	(void)rename("mess/1", "mess/x1");
	qlayout_scan_start(&s, &q, Q_MESS);
	for (n = 0; qlayout_scan_next(&s, &id); n++)
		;
	ok(t, n == 3 && s.failed && s.error == ENOENT, "an unreadable directory: incomplete");
	is(t, span_str(s.failed_dir), span_str("mess/1"), "and it is named");
}

int
main(void)
{
	struct tap t = { 0 };
	char top[64];

	test_names(&t);
	for (int big = 0; big < 2; big++) {
		queuedir_enter(top, big);
		test_detect(&t, big);
		test_scan(&t, big);
		queuedir_leave(top);
	}
	return done(&t);
}
