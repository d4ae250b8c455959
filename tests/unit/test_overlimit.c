/* overlimit: which line of relaylimits counts, and the counts of a day. */
#include "smtp/overlimit.h"

#include <errno.h>
#include <sys/wait.h>

#include "lib/buf.h"
#include "lib/proc.h"
#include "scratch.h"
#include "tap.h"

#define DAY ((int64_t)86400)
#define TODAY ((int64_t)20000 * DAY)

static struct overlimit_client
client(const char *user, const char *ip, bool relays)
{
	struct overlimit_client c = { .user = span_str(user), .relays = relays };

	if (!ip_parse(span_str(ip), &c.ip))
		c.ip.family = IP_NONE;
	return c;
}

static const char limits[] =
    "# users\n"
    "joe@a.example:10\n"
    ":default:7\n"
    " Ann : 20\n"
    "192.0.2.7:30\n"
    "2001:db8:0:1::1:40\n"
    "free:0\n"
    "odd:x\n"
    "bare\n"
    "joe@a.example:11\n"
    "a:b:50\n"
    "hex:0x10\n"
    "tail:5x\n"
    "huge:99999999999999999999\n"
    "none:\n";

static const struct {
	const char *user, *ip;
	bool relays;
	enum overlimit_rule rule;
	size_t line;
	uint64_t limit;
} finds[] = {
	{ "joe@a.example", "192.0.2.7", true, OVERLIMIT_LIMITED, 2, 10 },
	{ "JOE@A.example", "", true, OVERLIMIT_LIMITED, 2, 10 },
	{ "ann", "192.0.2.7", true, OVERLIMIT_LIMITED, 4, 20 },
	{ "a:b", "", true, OVERLIMIT_LIMITED, 11, 50 },
	{ "192.0.2.7", "", true, OVERLIMIT_LIMITED, 5, 30 },
	{ "bob", "192.0.2.7", true, OVERLIMIT_LIMITED, 3, 7 },
	{ "", "192.0.2.7", true, OVERLIMIT_LIMITED, 5, 30 },
	{ "", "192.0.2.7", false, OVERLIMIT_LIMITED, 5, 30 },
	{ "", "::ffff:192.0.2.7", false, OVERLIMIT_LIMITED, 5, 30 },
	{ "", "2001:db8:0:1:ffff::", false, OVERLIMIT_LIMITED, 6, 40 },
	{ "", "2001:db8:0:2::1", false, OVERLIMIT_UNLIMITED, 0, 0 },
	{ "", "192.0.2.8", true, OVERLIMIT_LIMITED, 3, 7 },
	{ "", "192.0.2.8", false, OVERLIMIT_UNLIMITED, 0, 0 },
	{ "", "", true, OVERLIMIT_LIMITED, 3, 7 },
	{ "free", "", true, OVERLIMIT_UNLIMITED, 7, 0 },
	{ "odd", "", true, OVERLIMIT_MALFORMED, 8, 0 },
	{ "bare", "", true, OVERLIMIT_MALFORMED, 9, 0 },
	{ "hex", "", true, OVERLIMIT_MALFORMED, 12, 0 },
	{ "tail", "", true, OVERLIMIT_MALFORMED, 13, 0 },
	{ "huge", "", true, OVERLIMIT_MALFORMED, 14, 0 },
	{ "none", "", true, OVERLIMIT_MALFORMED, 15, 0 },
};

static void
test_find(struct tap *t)
{
	struct buf text = { 0 };

	buf_adds(&text, limits);
	for (size_t i = 0; i < sizeof finds / sizeof *finds; i++) {
		struct overlimit_client c = client(finds[i].user, finds[i].ip, finds[i].relays);
		uint64_t limit = 0;
		size_t line = 99;

		ok(t, overlimit_find(&text, &c, &limit, &line) == finds[i].rule &&
		    line == finds[i].line && limit == finds[i].limit, "<%s> at <%s>: line %zu",
		    finds[i].user, finds[i].ip, line);
	}
	buf_free(&text);
	buf_adds(&text, ":3\n");
	for (int relays = 0; relays < 2; relays++) {
		struct overlimit_client c = client("", "192.0.2.8", relays);
		uint64_t limit = 0;
		size_t line;

		is_num(t, overlimit_find(&text, &c, &limit, &line), relays ? OVERLIMIT_LIMITED :
		    OVERLIMIT_UNLIMITED, "a line without a name");
	}
	buf_free(&text);
}

static void
test_count(struct tap *t)
{
	static const struct {
		const char *user, *ip;
		int64_t now;
		enum overlimit_status status;
		const char *what;
	} steps[] = {
		{ "joe", "192.0.2.7", TODAY, OVERLIMIT_COUNTED, "below the limit" },
		{ "JOE", "192.0.2.8", TODAY + DAY - 1, OVERLIMIT_COUNTED, "at the limit" },
		{ "joe", "192.0.2.7", TODAY, OVERLIMIT_REACHED, "above" },
		{ "ann", "192.0.2.7", TODAY, OVERLIMIT_COUNTED, "another user" },
		{ "", "192.0.2.7", TODAY, OVERLIMIT_COUNTED, "an address" },
		{ "", "::ffff:192.0.2.7", TODAY, OVERLIMIT_COUNTED, "the same" },
		{ "", "192.0.2.7", TODAY, OVERLIMIT_REACHED, "the same" },
		{ "", "2001:db8::1", TODAY, OVERLIMIT_COUNTED, "IPv6" },
		{ "", "2001:db8::ffff:2", TODAY, OVERLIMIT_COUNTED, "its network" },
		{ "", "2001:db8::3", TODAY, OVERLIMIT_REACHED, "its network" },
		{ "joe", "", TODAY + DAY, OVERLIMIT_COUNTED, "the next day" },
		{ "joe", "", TODAY, OVERLIMIT_REACHED, "a clock behind" },
		{ "joe", "", -5, OVERLIMIT_COUNTED, "a clock before 1970" },
	};

	if (mkdir("count", 0700) == -1)
		abort();
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct overlimit_client c = client(steps[i].user, steps[i].ip, true);

		is_num(t, overlimit_count("count", &c, 2, steps[i].now), steps[i].status,
		    steps[i].what);
	}
}

static void
test_days(struct tap *t)
{
	static const struct {
		const char *name;
		bool stays;
	} files[] = { { "days/19998", false }, { "days/19999", true }, { "days/20001", true },
		{ "days/20002", false }, { "days/x", true }, { "days/99999999999", false } };
	const struct overlimit_client c = client("joe", "", true);

	if (mkdir("days", 0700) == -1)
		abort();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		(void)close(scratch_file(files[i].name, "x"));
	is_num(t, overlimit_count("days", &c, 1, TODAY), OVERLIMIT_COUNTED, "a day begins");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		is_num(t, access(files[i].name, F_OK) == 0, files[i].stays, files[i].name);
}

static void
test_damage(struct tap *t)
{
	const struct overlimit_client c = client("joe", "", true);
	struct overlimit_client other = client("", "", true);
	char name[OVERLIMIT_USER_MAX + 2], full[4096];
	struct stat before, st;
	int fd;

	if (mkdir("bad", 0700) == -1)
		abort();
	(void)close(scratch_file("bad/20000", "short"));
	is_num(t, overlimit_count("bad", &c, 1, TODAY), OVERLIMIT_COUNTED, "half a key");
	is_num(t, overlimit_count("bad", &c, 1, TODAY), OVERLIMIT_REACHED, "and then a whole one");
	(void)close(scratch_file("bad/20001", "0123456789abcdef0123"));
	is_num(t, overlimit_count("bad", &c, 1, TODAY + DAY), OVERLIMIT_COUNTED, "half a slot");
	if (symlink("20001", "bad/20002") == -1)
		abort();
	is_num(t, overlimit_count("bad", &c, 1, TODAY + 2 * DAY), OVERLIMIT_FAILED, "a link");
	memset(name, 'x', sizeof name);
	other.user = span_of(name, OVERLIMIT_USER_MAX);
	is_num(t, overlimit_count("bad", &other, 1, TODAY), OVERLIMIT_COUNTED, "a long name");
	other.user.n++;
	ok(t, overlimit_count("bad", &other, 1, TODAY) == OVERLIMIT_FAILED &&
	    errno == ENAMETOOLONG, "a longer one");
	memset(full, 'f', sizeof full);
	fd = scratch_file("bad/20003", "0123456789abcdef");
	for (uint64_t n = 0; n < (OVERLIMIT_NAMES_MAX + OVERLIMIT_PROBES) * 16 / sizeof full; n++)
		if (io_write_all(fd, full, sizeof full) == -1)
			abort();
	if (fstat(fd, &before) == -1)
		abort();
	is_num(t, overlimit_count("bad", &c, UINT64_MAX, TODAY + 3 * DAY), OVERLIMIT_FULL, "full");
	ok(t, fstat(fd, &st) == 0 && st.st_size == before.st_size, "has not grown");
	(void)close(fd);
	ok(t, overlimit_count("none", &c, 1, TODAY) == OVERLIMIT_FAILED && errno == ENOENT,
	    "no directory");
	if (chmod("bad", 0777) == -1)
		abort();
	ok(t, overlimit_count("bad", &c, 1, TODAY) == OVERLIMIT_FAILED && errno == EPERM,
	    "everybody's directory");
}

enum { CHILDREN = 20, EACH = 50 };

static void
test_together(struct tap *t)
{
	const struct overlimit_client c = client("joe", "", true);
	const uint64_t limit = CHILDREN * EACH / 2;
	unsigned counted = 0;

	if (mkdir("many", 0700) == -1)
		abort();
	for (int i = 0; i < CHILDREN; i++) {
		unsigned n = 0;
		pid_t pid = proc_fork();

		if (pid == -1)
			abort();
		for (int j = 0; pid == 0 && j < EACH; j++)
			n += overlimit_count("many", &c, limit, TODAY) == OVERLIMIT_COUNTED;
		if (pid == 0)
			_exit((int)n);
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		if (wait(&status) == -1 || !WIFEXITED(status))
			abort();
		counted += (unsigned)WEXITSTATUS(status);
	}
	is_num(t, counted, limit, "many at once: not one too many, not one too few");
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	test_find(&t);
	test_count(&t);
	test_days(&t);
	test_damage(&t);
	test_together(&t);
	scratch_leave(&s);
	return done(&t);
}
