/* assign: users/assign becomes a database. */
#include "users/assign.h"

#include <fcntl.h>

#include "mail/userdb.h"

#include "scratch.h"
#include "tap.h"

static const struct {
	const char *name, *text;
	enum assign_status status;
	uint64_t line;
	const char *warnings, *why;
} rows[] = {
	{ "empty list", ".\n", ASSIGN_OK, 1, "", "" },
	{ "no LF after the dot", "=a:b:1:2:/x:::\n.", ASSIGN_OK, 2, "", "" },
	{ "text after the dot", "=a:b:1:2:/x:::\n.\nrubbish", ASSIGN_OK, 2, "", "" },
	{ "nothing", "", ASSIGN_FORMAT, 1, "",
	    "the list ends without a line that is a dot" },
	{ "no dot", "=a:b:1:2:/x:::\n", ASSIGN_FORMAT, 2, "",
	    "the list ends without a line that is a dot" },
	{ "line without LF", "=a:b:1:2:/x:::", ASSIGN_FORMAT, 1, "",
	    "its end is missing" },
	{ "bad third line", "=a:b:1:2:/x:::\n+:b:1:2:/x:-::\n=bad\n.\n", ASSIGN_FORMAT, 3, "",
	    "it has fewer than seven colons" },
	{ "comment", "# no\n.\n", ASSIGN_FORMAT, 1, "",
	    "it has fewer than seven colons" },
	{ "empty line", "\n.\n", ASSIGN_FORMAT, 1, "", "it is empty" },
	{ "colon first", "::::::::\n.\n", ASSIGN_FORMAT, 1, "", "it begins with a colon" },
	{ "uid 0", "=a:b:0:2:/x:::\n.\n", ASSIGN_OK, 2,
	    "qmail-newu: warning: users/assign line 1: uid is 0: nothing will be delivered\n", "" },
	{ "odd numbers", "=a:b:x:4294967295:/x:::\n.\n", ASSIGN_OK, 2,
	    "qmail-newu: warning: users/assign line 1: uid is not a number\n"
	    "qmail-newu: warning: users/assign line 1: gid is not a number\n", "" },
	{ "largest ids", "=a:b:4294967294:4294967294:/x:::\n.\n", ASSIGN_OK, 2, "", "" },
	{ "relative home", "=a:b:1:2:x:::\n.\n", ASSIGN_OK, 2,
	    "qmail-newu: warning: users/assign line 1: home directory is not absolute\n", "" },
};

static enum assign_status
build(const char *text, struct assign_place *line, struct buf *warnings)
{
	int from = scratch_file("assign", text), to = scratch_file("cdb", "");
	enum assign_status status = assign_build(from, to, line, warnings);

	close(from);
	close(to);
	return status;
}

static void
test_rows(struct tap *t)
{
	struct buf warnings = { 0 };
	struct assign_place line;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_reset(&warnings);
		is_num(t, build(rows[i].text, &line, &warnings), rows[i].status, rows[i].name);
		is_num(t, (long long)line.line, (long long)rows[i].line, "  line");
		is(t, span_str(line.why ? line.why : ""), span_str(rows[i].why), "  reason");
		is(t, buf_span(&warnings), span_str(rows[i].warnings), "  warnings");
	}
	buf_free(&warnings);
}

static void
test_contents(struct tap *t)
{
	struct buf warnings = { 0 }, data = { 0 };
	struct assign_place line;

	is_num(t, build("=joe:joe:1:2:/j:::\n+JOE-:joe:1:2:/j:-::\n+joe+:joe:3:4:/k:-::\n.\n",
	    &line, &warnings), ASSIGN_OK, "built");
	is_num(t, userdb_lookup("cdb", span_str("Joe"), &data), USERDB_FOUND, "simple");
	is_num(t, userdb_lookup("cdb", span_str("joe-X"), &data), USERDB_FOUND, "wildcard -");
	is(t, buf_span(&data), span_of("joe\0001\0002\0/j\0-\0X\0", 15), "  its data");
	is_num(t, userdb_lookup("cdb", span_str("joe+X"), &data), USERDB_FOUND, "wildcard +");
	is_num(t, userdb_lookup("cdb", span_str("joex"), &data), USERDB_ABSENT, "no entry");
	buf_free(&warnings);
	buf_free(&data);
}

/* A line of n bytes with its LF left out. */
static enum assign_status
build_line(size_t n)
{
	static const char tail[] = ":b:1:2:/x:::";
	struct buf text = { 0 }, warnings = { 0 };
	enum assign_status status;
	struct assign_place line;

	buf_addc(&text, '=');
	while (text.n < n - (sizeof tail - 1))
		buf_addc(&text, 'a');
	buf_adds(&text, tail);
	buf_adds(&text, "\n.\n");
	status = build(buf_str(&text), &line, &warnings);
	buf_free(&text);
	buf_free(&warnings);
	return status;
}

static void
test_limits(struct tap *t)
{
	struct buf text = { 0 }, warnings = { 0 };
	struct assign_place line;
	int n = 0;

	is_num(t, build_line(ASSIGN_LINE_MAX - 1), ASSIGN_OK, "line below the limit");
	is_num(t, build_line(ASSIGN_LINE_MAX), ASSIGN_OK, "at the limit");
	is_num(t, build_line(ASSIGN_LINE_MAX + 1), ASSIGN_FORMAT, "above");
	for (int i = 0; i < 1000; i++)
		buf_adds(&text, "=a:b:0:2:/x:::\n");
	buf_adds(&text, ".\n");
	is_num(t, build(buf_str(&text), &line, &warnings), ASSIGN_OK, "a thousand mistakes");
	for (size_t i = 0; i < warnings.n; i++)
		n += warnings.p[i] == '\n';
	is_num(t, n, 100, "a hundred warnings");
	buf_free(&text);
	buf_free(&warnings);
}

static void
test_trouble(struct tap *t)
{
	struct buf warnings = { 0 };
	int write_only, from = scratch_file("assign", ".\n"), to = scratch_file("cdb", "");
	struct assign_place line;

	write_only = open("assign", O_WRONLY | O_CLOEXEC);
	is_num(t, assign_build(write_only, to, &line, &warnings), ASSIGN_READ, "unreadable");
	close(to);
	to = open("/dev/full", O_RDWR | O_CLOEXEC);
	is_num(t, assign_build(from, to, &line, &warnings), ASSIGN_WRITE, "disk full");
	close(write_only);
	close(from);
	close(to);
	buf_free(&warnings);
}

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	scratch_enter(&scratch);
	test_rows(&t);
	test_contents(&t);
	test_limits(&t);
	test_trouble(&t);
	scratch_leave(&scratch);
	return done(&t);
}
