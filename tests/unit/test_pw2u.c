/* pw2u: accounts become assignments. */
#include "users/pw2u.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

#define ALIAS "alias:x:70:80::/a:/bin/false\n"
#define ALIAS_OUT "+:alias:70:80:/a:-::\n=alias:alias:70:80:/a:::\n+alias-:alias:70:80:/a:-::\n"

/* Homes are not looked at here. */
static const struct {
	const char *name, *in, *out;
} lines[] = {
	{ "plain", "joe:x:5:6:J:/home/joe:/bin/sh\n", "=joe:joe:5:6:/home/joe:::\n"
	    "+joe-:joe:5:6:/home/joe:-::\n" },
	{ "no LF at the end", "joe:x:5:6::/j:", "=joe:joe:5:6:/j:::\n+joe-:joe:5:6:/j:-::\n" },
	{ "more colons", "joe:x:5:6::/j:s:t:\n", "=joe:joe:5:6:/j:::\n+joe-:joe:5:6:/j:-::\n" },
	{ "largest uid", "joe:x:4294967294:0::/j:\n", "=joe:joe:4294967294:0:/j:::\n"
	    "+joe-:joe:4294967294:0:/j:-::\n" },
	{ "no such uid", "joe:x:4294967295:0::/j:\n", "" },
	{ "uid that would wrap", "joe:x:4294967301:0::/j:\n", "" },
	{ "root", "root:x:0:0::/root:/bin/sh\n", "" },
	{ "uid is no number", "joe:x:5x:6::/j:\n", "" },
	{ "no uid", "+::::::\n", "" },
	{ "gid is no number", "joe:x:5:-6::/j:\n", "" },
	{ "five colons", "joe:x:5:6::/j\n", "" },
	{ "no name", ":x:5:6::/j:\n", "" },
	{ "capitals", "Joe:x:5:6::/j:\n", "" },
	{ "empty line", "\n", "" },
};

static const struct {
	const char *name;
	struct pw2u choices;
	const char *in, *out;
} choices[] = {
	{ "capitals", { .capitals = true, .break_char = '-' }, "Joe:x:5:6::/j:\n",
	    "=Joe:Joe:5:6:/j:::\n+Joe-:Joe:5:6:/j:-::\n" },
	{ "another break", { .break_char = '+' }, "joe:x:5:6::/j:\n",
	    "=joe:joe:5:6:/j:::\n+joe+:joe:5:6:/j:-::\n" },
	{ "no break", { .break_char = 0 }, "joe:x:5:6::/j:\n", "=joe:joe:5:6:/j:::\n" },
	{ "slash", { .slash = true, .break_char = '-' }, "joe:x:5:6::/j:\n",
	    "=joe:joe:5:6:/j:::\n+joe-:joe:5:6:/j:-/::\n" },
};

static enum pw2u_status
convert(struct pw2u *p, struct span text, struct buf *got, struct buf *detail)
{
	char in_buffer[100], out_buffer[100];
	int from = scratch_file("in", ""), to = scratch_file("out", "");
	struct io_in in;
	struct io_out out;
	enum pw2u_status status;

	if (io_write_all(from, text.p, text.n) == -1 || lseek(from, 0, SEEK_SET) == -1)
		abort();
	io_in_init(&in, from, in_buffer, sizeof in_buffer);
	io_out_init(&out, to, out_buffer, sizeof out_buffer);
	status = pw2u_convert(p, &in, &out, detail);
	buf_reset(got);
	if (lseek(to, 0, SEEK_SET) == -1 || io_read_all(to, got) != IO_OK)
		abort();
	(void)close(from);
	(void)close(to);
	return status;
}

/* What is printed between the lines of alias and the dot. */
static void
check(struct tap *t, const char *name, struct pw2u p, const char *in, const char *want)
{
	struct buf text = { 0 }, expected = { 0 }, got = { 0 }, detail = { 0 };
	bool plain = p.break_char == '-' && !p.slash;

	p.homes = PW2U_ANY;
	buf_adds(&text, ALIAS);
	buf_adds(&text, in);
	buf_adds(&expected, ALIAS_OUT);
	buf_adds(&expected, want);
	buf_adds(&expected, ".\n");
	is_num(t, convert(&p, buf_span(&text), &got, &detail), PW2U_OK, name);
	if (plain)
		is(t, buf_span(&got), buf_span(&expected), "  output");
	else
		ok(t, strstr(buf_str(&got), want) && !strcmp(got.p + got.n - strlen(want) - 2,
		    expected.p + expected.n - strlen(want) - 2), "  its last lines");
	pw2u_free(&p);
	buf_free(&text);
	buf_free(&expected);
	buf_free(&got);
	buf_free(&detail);
}

static void
test_files(struct tap *t)
{
	struct pw2u p = { .break_char = '-' };

	set_add(&p.include, span_str("ALIAS"), span_str(""));
	set_add(&p.include, span_str("joe"), span_str(""));
	p.has_include = set_finish(&p.include);
	check(t, "include", p, "joe:x:5:6::/j:\nann:x:7:8::/a:\n",
	    "=joe:joe:5:6:/j:::\n+joe-:joe:5:6:/j:-::\n");
	p = (struct pw2u){ .break_char = '-' };
	set_add(&p.exclude, span_str("JOE"), span_str(""));
	if (!set_finish(&p.exclude))
		abort();
	check(t, "exclude", p, "joe:x:5:6::/j:\nann:x:7:8::/a:\n",
	    "=ann:ann:7:8:/a:::\n+ann-:ann:7:8:/a:-::\n");
	p = (struct pw2u){ .break_char = '-' };
	set_add(&p.mailnames, span_str("joe"), span_str(":j::Joe.S:"));
	if (!set_finish(&p.mailnames))
		abort();
	check(t, "mailnames", p, "joe:x:5:6::/j:\n", "=j:joe:5:6:/j:::\n+j-:joe:5:6:/j:-::\n"
	    "=Joe.S:joe:5:6:/j:::\n+Joe.S-:joe:5:6:/j:-::\n");
	p = (struct pw2u){ .break_char = '-' };
	buf_adds(&p.subusers, "info:joe:inf:\nno:joe:\n\nsales:JOE::rest\nx:joe:y:");
	check(t, "subusers", p, "joe:x:5:6::/j:\n", "=joe:joe:5:6:/j:::\n+joe-:joe:5:6:/j:-::\n"
	    "=info:joe:5:6:/j:-:inf:\n+info-:joe:5:6:/j:-:inf-:\n"
	    "=sales:joe:5:6:/j:-::\n+sales-:joe:5:6:/j:-:-:\n"
	    "=x:joe:5:6:/j:-:y:\n+x-:joe:5:6:/j:-:y-:\n");
	p = (struct pw2u){ .break_char = '-' };
	buf_adds(&p.append, "=a:b:1:2:/c:::");
	check(t, "append without LF", p, "", "=a:b:1:2:/c:::\n");
}

static void
failing(struct tap *t, const char *name, struct pw2u *p, const char *in, enum pw2u_status want,
    const char *said)
{
	struct buf got = { 0 }, detail = { 0 };

	is_num(t, convert(p, span_str(in), &got, &detail), want, name);
	is(t, buf_span(&detail), span_str(said), "  what about");
	ok(t, got.n < 2 || strcmp(got.p + got.n - 2, ".\n") != 0, "  no dot at the end");
	pw2u_free(p);
	buf_free(&got);
	buf_free(&detail);
}

static void
test_failures(struct tap *t)
{
	struct pw2u p = { .homes = PW2U_ANY };

	failing(t, "no alias", &p, "joe:x:5:6::/j:\n", PW2U_NO_ALIAS, "");
	p = (struct pw2u){ .homes = PW2U_ANY };
	buf_adds(&p.subusers, "info:joe:inf:\n");
	failing(t, "subuser of nobody", &p, ALIAS, PW2U_NO_USER, "joe");
	p = (struct pw2u){ .homes = PW2U_NEED };
	failing(t, "no home", &p, "joe:x:5:6::./none:\n", PW2U_HOME, "./none");
	p = (struct pw2u){ .homes = PW2U_SKIP_MISSING };
	failing(t, "a home that cannot be looked at", &p, "joe:x:5:6::in/none:\n", PW2U_HOME,
	    "in/none");
}

/* Our own uid owns this directory; nobody of the table is root, so take uid 1 if we are. */
static void
test_homes(struct tap *t)
{
	char in[200], want[200];
	struct buf got = { 0 }, detail = { 0 };
	struct pw2u p = { .homes = PW2U_SKIP_MISSING };

	if (mkdir("mine", 0700) == -1 || mkdir("theirs", 0700) == -1)
		abort();
	if (geteuid() == 0 && chown("mine", 1, (gid_t)-1) == -1)
		abort();
	(void)snprintf(in, sizeof in, "alias:x:%d:6::mine:\na:x:%d:6::theirs:\nb:x:9:6::none:\n",
	    geteuid() ? (int)geteuid() : 1, geteuid() ? 1 : 2);
	(void)snprintf(want, sizeof want, "+:alias:%d:6:mine:-::\n=alias:alias:%d:6:mine:::\n.\n",
	    geteuid() ? (int)geteuid() : 1, geteuid() ? (int)geteuid() : 1);
	is_num(t, convert(&p, span_str(in), &got, &detail), PW2U_OK, "homes");
	is(t, buf_span(&got), span_str(want), "  only who owns one");
	pw2u_free(&p);
	buf_free(&got);
	buf_free(&detail);
}

/* An account with a line of n bytes, without LF. */
static void
test_limit(struct tap *t, size_t n, bool taken)
{
	struct buf text = { 0 }, got = BUF_CAP(10 * PW2U_LINE_MAX), detail = { 0 };
	struct pw2u p = { .homes = PW2U_ANY };

	buf_adds(&text, ALIAS "joe:x:5:6:");
	while (text.n < strlen(ALIAS) + n - strlen(":/j:"))
		buf_addc(&text, 'x');
	buf_adds(&text, ":/j:\n");
	is_num(t, convert(&p, buf_span(&text), &got, &detail), PW2U_OK, "a long line");
	ok(t, !!strstr(buf_str(&got), "=joe:") == taken, "  %zu bytes", n);
	pw2u_free(&p);
	buf_free(&text);
	buf_free(&got);
	buf_free(&detail);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };

	scratch_enter(&s);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		check(&t, lines[i].name, (struct pw2u){ .break_char = '-' }, lines[i].in,
		    lines[i].out);
	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
		check(&t, choices[i].name, choices[i].choices, choices[i].in, choices[i].out);
	test_files(&t);
	test_failures(&t);
	test_homes(&t);
	test_limit(&t, PW2U_LINE_MAX - 1, true);
	test_limit(&t, PW2U_LINE_MAX, true);
	test_limit(&t, PW2U_LINE_MAX + 1, false);
	scratch_leave(&s);
	return done(&t);
}
