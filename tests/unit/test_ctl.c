/* ctl: the three forms, absent and unreadable files, limits. */
#include "lib/ctl.h"

#include <errno.h>

#include "scratch.h"
#include "tap.h"

static void
put(const char *name, const void *p, size_t n)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "control/%s", name);
	fd = scratch_file(path, "");
	if (io_write_all(fd, p, n) == -1)
		abort();
	(void)close(fd);
}

static void
puts_in(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void
test_line(struct tap *t)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" }, { "\n", "" }, { "a", "a" }, { "a\n", "a" }, { "a\nb\n", "a" },
		{ "a \t \n", "a" }, { "a\r\n", "a" }, { " a b\n", " a b" }, { "#a\n", "#a" },
		{ " \t\n", "" }, { "\na\n", "" }, { "a\r", "a" },
	};
	struct buf line = { 0 };

	ok(t, ctl_line("x", &line) == CTL_ABSENT, "absent");
	if (symlink("nonesuch", "control/x") == -1)
		abort();
	ok(t, ctl_line("x", &line) == CTL_ERROR && errno == ENOENT, "a link that leads nowhere");
	(void)unlink("control/x");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		puts_in("x", rows[i].text);
		buf_adds(&line, "old");
		ok(t, ctl_line("x", &line) == CTL_FOUND, "line %zu", i);
		is(t, buf_span(&line), span_str(rows[i].want), "  value");
	}
	put("x", "a\0b\n", 4);
	ok(t, ctl_line("x", &line) == CTL_FOUND && span_eq(buf_span(&line), span_of("a\0b", 3)),
	    "NUL is a byte of the line");
	buf_free(&line);
	buf_init(&line, 2);
	puts_in("x", "ab\n");
	ok(t, ctl_line("x", &line) == CTL_FOUND, "at the caller's cap");
	puts_in("x", "abc\n");
	ok(t, ctl_line("x", &line) == CTL_ERROR, "over the caller's cap");
	buf_free(&line);
}

static void
test_default(struct tap *t)
{
	struct buf line = { 0 };

	ok(t, ctl_line_me("y", NULL, &line) == CTL_ABSENT, "neither file nor me nor literal");
	ok(t, ctl_line_me("y", "lit", &line) == CTL_FOUND && strcmp(buf_str(&line), "lit") == 0,
	    "literal");
	puts_in("me", "h.x\n");
	ok(t, ctl_line_me("y", "lit", &line) == CTL_FOUND && strcmp(buf_str(&line), "h.x") == 0,
	    "me");
	puts_in("y", "");
	ok(t, ctl_line_me("y", "lit", &line) == CTL_FOUND && line.n == 0, "an empty file counts");
	puts_in("y", "z\n");
	ok(t, ctl_line_me("y", "lit", &line) == CTL_FOUND && strcmp(buf_str(&line), "z") == 0,
	    "file");
	(void)unlink("control/y");
	(void)unlink("control/me");
	buf_free(&line);
}

static void
test_number(struct tap *t)
{
	static const struct {
		const char *text;
		enum ctl_status status;
		uint64_t value;
	} rows[] = {
		{ "0\n", CTL_FOUND, 0 }, { "17 apples\n", CTL_FOUND, 17 },
		{ "99\n", CTL_FOUND, 99 },
		{ "100\n", CTL_FOUND, 100 }, { "101\n", CTL_FOUND, 100 },
		{ "99999999999999999999999\n", CTL_FOUND, 100 }, { "", CTL_ABSENT, 42 },
		{ "x\n", CTL_ABSENT, 42 }, { "-1\n", CTL_ABSENT, 42 }, { " 1\n", CTL_ABSENT, 42 },
		{ "\n5\n", CTL_ABSENT, 42 },
	};
	uint64_t value = 42;

	ok(t, ctl_number("n", 100, &value) == CTL_ABSENT && value == 42, "absent");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		value = 42;
		puts_in("n", rows[i].text);
		ok(t, ctl_number("n", 100, &value) == rows[i].status && value == rows[i].value,
		    "number %zu", i);
	}
}

/* The entries with a comma behind each. */
static void
test_list(struct tap *t)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" }, { "a", "a," }, { "a\nb\n", "a,b," }, { "#x\n\n  \na\n", "a," },
		{ "a \t\r\n b\n", "a, b," }, { " #x\n", " #x," }, { "a\na\n", "a,a," },
	};
	struct buf text = { 0 }, got = { 0 };
	struct span entry;

	ok(t, ctl_list("l", &text) == CTL_ABSENT, "absent");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		puts_in("l", rows[i].text);
		ok(t, ctl_list("l", &text) == CTL_FOUND, "list %zu", i);
		buf_reset(&got);
		for (size_t pos = 0; ctl_next(&text, &pos, &entry);) {
			buf_addspan(&got, entry);
			buf_addc(&got, ',');
		}
		is(t, buf_span(&got), span_str(rows[i].want), "  entries");
	}
	put("l", "a\0b\n", 4);
	ok(t, ctl_list("l", &text) == CTL_FOUND && text.n == 4, "NUL separates");
	buf_free(&text);
	buf_free(&got);
}

static void
test_sets(struct tap *t)
{
	struct set s = { 0 };
	struct span value = { NULL, 0 };

	ok(t, ctl_set("s", &s) == CTL_ABSENT && ctl_map("s", &s) == CTL_ABSENT, "absent");
	puts_in("s", "A.org\n.b.org:x\n#c\n");
	ok(t, ctl_set("s", &s) == CTL_FOUND && set_find(&s, span_str("a.ORG"), NULL) &&
	    set_find(&s, span_str(".b.org:x"), NULL) && !set_find(&s, span_str("#c"), NULL), "set");
	set_free(&s);
	puts_in("s", "a:1\nno colon\nb:x:y\n:all\na:2\nc:\n");
	ok(t, ctl_map("s", &s) == CTL_FOUND && s.n == 4, "map");
	ok(t, set_find(&s, span_str("a"), &value) && span_eq(value, span_str("2")), "last one");
	ok(t, set_find(&s, span_str("b"), &value) && span_eq(value, span_str("x:y")),
	    "first colon");
	ok(t, set_find(&s, span_str(""), &value) && span_eq(value, span_str("all")), "empty key");
	ok(t, set_find(&s, span_str("c"), &value) && value.n == 0, "empty value");
	set_free(&s);
}

static void
test_errors(struct tap *t)
{
	struct buf line = { 0 };
	struct set s = { 0 };
	uint64_t value = 42;
	char longest[300];

	if (mkdir("control/dir", 0700) == -1)
		abort();
	ok(t, ctl_line("dir", &line) == CTL_ERROR && errno == EISDIR, "line: a directory");
	ok(t, ctl_line_me("dir", "x", &line) == CTL_ERROR, "line with default: a directory");
	ok(t, ctl_number("dir", 9, &value) == CTL_ERROR && value == 42, "number: a directory");
	ok(t, ctl_list("dir", &line) == CTL_ERROR, "list: a directory");
	ok(t, ctl_set("dir", &s) == CTL_ERROR && ctl_map("dir", &s) == CTL_ERROR,
	    "set: a directory");
	if (symlink("loop", "control/loop") == -1)
		abort();
	ok(t, ctl_line("loop", &line) == CTL_ERROR && errno == ELOOP, "link to itself");
	if (mkfifo("control/fifo", 0600) == -1)
		abort();
	ok(t, ctl_line("fifo", &line) == CTL_FOUND && line.n == 0, "a FIFO does not block");
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	ok(t, ctl_line(longest, &line) == CTL_ERROR && errno == ENAMETOOLONG, "name too long");
	ok(t, ctl_line(longest + 52, &line) == CTL_ABSENT, "longest name");
	ok(t, ctl_line(longest + 51, &line) == CTL_ERROR, "a byte more");
	buf_free(&line);
	set_free(&s);
}

/* A file whose first line has n bytes, or that has `size` bytes. */
static void
big_file(size_t n, size_t size)
{
	static char block[1 << 16];
	int fd = scratch_file("control/big", "");

	memset(block, 'x', sizeof block);
	for (size_t left = n, k; left; left -= k)
		if (io_write_all(fd, block, k = left < sizeof block ? left : sizeof block) == -1)
			abort();
	if (io_write_all(fd, "\n", 1) == -1)
		abort();
	memset(block, '\n', sizeof block);
	for (size_t left = size > n + 1 ? size - n - 1 : 0, k; left; left -= k)
		if (io_write_all(fd, block, k = left < sizeof block ? left : sizeof block) == -1)
			abort();
	(void)close(fd);
}

static void
test_limits(struct tap *t)
{
	struct buf line = { 0 };
	struct set s = { 0 };

	for (size_t n = CTL_LINE_MAX - 1; n <= CTL_LINE_MAX + 1; n++) {
		enum ctl_status want = n > CTL_LINE_MAX ? CTL_ERROR : CTL_FOUND;

		big_file(n, 0);
		ok(t, ctl_line("big", &line) == want, "line of %zu bytes", n);
		ok(t, want == CTL_FOUND || errno == EFBIG, "  errno");
		ok(t, ctl_list("big", &line) == want, "entry of %zu bytes", n);
		ok(t, want == CTL_FOUND || errno == EFBIG, "  errno");
		ok(t, ctl_set("big", &s) == want, "key of %zu bytes", n);
		set_free(&s);
	}
	for (size_t n = CTL_FILE_MAX - 1; n <= CTL_FILE_MAX + 1; n++) {
		enum ctl_status want = n > CTL_FILE_MAX ? CTL_ERROR : CTL_FOUND;

		big_file(5, n);
		ok(t, ctl_line("big", &line) == want, "file of %zu bytes: line", n);
		ok(t, ctl_list("big", &line) == want, "file of %zu bytes: list", n);
		ok(t, want == CTL_FOUND || errno == EFBIG, "  errno");
	}
	buf_free(&line);
}

/* More than a buffer's default cap. */
static void
test_large_set(struct tap *t)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	struct set s = { 0 };

	for (unsigned i = 0; i < 700000; i++) {
		buf_adds(&text, "some.very.long.domain.");
		buf_addnum(&text, i);
		buf_adds(&text, ".org\n");
	}
	put("big", text.p, text.n);
	ok(t, text.n > BUF_MAX_DEFAULT && ctl_set("big", &s) == CTL_FOUND && s.n == 700000 &&
	    set_find(&s, span_str("some.very.long.domain.699999.org"), NULL), "700,000 entries");
	set_free(&s);
	buf_free(&text);
}

/* The forms in files elsewhere. */
static void
test_paths(struct tap *t)
{
	struct set keys = { 0 }, map = { 0 };
	struct buf text = { 0 };
	struct span value;

	ok(t, ctl_path_set("control/none", &keys) == CTL_ABSENT &&
	    ctl_path_map("control/none", &map) == CTL_ABSENT &&
	    ctl_path_text("control/none", &text) == CTL_ABSENT, "absent");
	ok(t, ctl_path_set("control", &keys) == CTL_ERROR && errno == EISDIR &&
	    ctl_path_map("control", &map) == CTL_ERROR &&
	    ctl_path_text("control", &text) == CTL_ERROR, "a directory");
	puts_in("p", "#c\na:b:c \n\nd\n");
	ok(t, ctl_path_set("control/p", &keys) == CTL_FOUND && keys.n == 2 &&
	    set_find(&keys, span_str("A:b:c"), NULL) && set_find(&keys, span_str("d"), NULL),
	    "set");
	ok(t, ctl_path_map("control/p", &map) == CTL_FOUND && map.n == 1 &&
	    set_find(&map, span_str("a"), &value) && span_eq(value, span_str("b:c")), "map");
	buf_adds(&text, "old");
	ok(t, ctl_path_text("control/p", &text) == CTL_FOUND, "text");
	is(t, buf_span(&text), span_str("#c\na:b:c \n\nd\n"), "  as it is");
	set_free(&keys);
	set_free(&map);
	buf_free(&text);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter_home(&s);
	test_line(&t);
	test_default(&t);
	test_number(&t);
	test_list(&t);
	test_sets(&t);
	test_errors(&t);
	test_limits(&t);
	test_large_set(&t);
	test_paths(&t);
	scratch_leave(&s);
	return done(&t);
}
