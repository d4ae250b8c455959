/* taps: which address gets a copy, what a line may be, limits. */
#include "queue/taps.h"

#include "scratch.h"
#include "tap.h"

static void
write_control(const char *text)
{
	(void)close(scratch_file("control/taps", text));
}

static const struct {
	const char *what, *file;
	const char *sender, *recipients[3];
	const char *address;
} rows[] = {
	{ "no line", "# nothing\n", "a@x", { "b@y" }, "" },
	{ "sender", "F:@x$:t@z\n", "a@x", { "b@y" }, "t@z" },
	{ "sender, not it", "F:@x$:t@z\n", "a@xx", { "b@y" }, "" },
	{ "sender is not for T", "T:@x$:t@z\n", "a@x", { "b@y" }, "" },
	{ "recipient", "T:@y$:t@z\n", "a@x", { "b@y" }, "t@z" },
	{ "recipient is not for F", "F:@y$:t@z\n", "a@x", { "b@y" }, "" },
	{ "third recipient", "T:@y$:t@z\n", "a@x", { "b@a", "b@b", "b@y" }, "t@z" },
	{ "A by sender", "A:@x$:t@z\n", "a@x", { "b@y" }, "t@z" },
	{ "A by recipient", "A:@y$:t@z\n", "a@x", { "b@y" }, "t@z" },
	{ "case", "F:^ANN@:t@z\n", "ann@x", { "b@y" }, "t@z" },
	{ "anywhere", "F:n:t@z\n", "ann@x", { "b@y" }, "t@z" },
	{ "extended", "F:^(ann|bob)@x+$:t@z\n", "bob@xxx", { "b@y" }, "t@z" },
	{ "negated", "F:!@x$:t@z\n", "a@y", { "b@y" }, "t@z" },
	{ "negated, not it", "F:!@x$:t@z\n", "a@x", { "b@y" }, "" },
	{ "no sender", "F:^$:t@z\n", "", { "b@y" }, "t@z" },
	{ "only one: the first line", "F:a:t@z\nF:a:u@z\n", "a@x", { "b@y" }, "t@z" },
	{ "sender before recipient", "T:b:t@z\nF:a:u@z\n", "a@x", { "b@y" }, "u@z" },
	{ "first recipient before the second", "T:c:t@z\nT:b:u@z\n", "a@x", { "b@y", "c@y" },
	    "u@z" },
	{ "a recipient already", "F:a:t@z\n", "a@x", { "b@y", "T@Z" }, "" },
	{ "before the hit", "T:c:t@z\n", "a@x", { "t@z", "c@y" }, "" },
	{ "colon in the address", "F:a:t:u@z\n", "a@x", { "b@y" }, "t:u@z" },
	{ "bytes above ASCII", "F:\xc3\xa9:t@z\n", "\xc3\xa9@x", { "b@y" }, "t@z" },
};

static const struct {
	const char *what, *file;
} malformed[] = {
	{ "one field", "F\n" },
	{ "two fields", "F:a\n" },
	{ "no address", "F:a:\n" },
	{ "no pattern", "F::t@z\n" },
	{ "only a negation", "F:!:t@z\n" },
	{ "another letter", "X:a:t@z\n" },
	{ "two letters", "FT:a:t@z\n" },
	{ "no letter", ":a:t@z\n" },
	{ "open bracket", "F:[a:t@z\n" },
	{ "open parenthesis", "F:(a:t@z\n" },
	{ "back-reference", "F:(a)\\1:t@z\n" },
	{ "behind a good one", "F:a:t@z\nnonsense\n" },
};

static void
see_all(struct taps *taps, const char *sender, const char *const recipients[3])
{
	if (taps_see(taps, ENVELOPE_SENDER, span_str(sender)) != TAPS_OK)
		abort();
	for (int i = 0; i < 3 && recipients[i]; i++)
		if (taps_see(taps, ENVELOPE_RECIPIENT, span_str(recipients[i])) != TAPS_OK)
			abort();
}

static void
test_lines(struct tap *t)
{
	struct taps taps = { 0 };

	is_num(t, taps_read(&taps), TAPS_OK, "no file");
	see_all(&taps, "a@x", rows[0].recipients);
	is(t, taps_address(&taps), span_str(""), "no tap");
	taps_free(&taps);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		write_control(rows[i].file);
		is_num(t, taps_read(&taps), TAPS_OK, rows[i].what);
		see_all(&taps, rows[i].sender, rows[i].recipients);
		is(t, taps_address(&taps), span_str(rows[i].address), rows[i].what);
		taps_free(&taps);
	}
	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
		write_control(malformed[i].file);
		is_num(t, taps_read(&taps), TAPS_MALFORMED, malformed[i].what);
		taps_free(&taps);
	}
	if (unlink("control/taps") == -1 || mkdir("control/taps", 0755) == -1)
		abort();
	is_num(t, taps_read(&taps), TAPS_UNREADABLE, "a directory");
	taps_free(&taps);
	if (rmdir("control/taps") == -1)
		abort();
}

/* Lines `F:aaa...:t@z`, as many and as long as wanted. */
static enum taps_status
read_many(size_t lines, size_t pattern, size_t address, struct taps *taps)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < lines; i++) {
		buf_adds(&text, "F:");
		for (size_t n = 0; n < pattern; n++)
			buf_addc(&text, 'a');
		buf_addc(&text, ':');
		for (size_t n = 0; n < address; n++)
			buf_addc(&text, 't');
		buf_addc(&text, '\n');
	}
	write_control(buf_str(&text));
	buf_free(&text);
	return taps_read(taps);
}

static void
test_limits(struct tap *t)
{
	static const struct {
		const char *what;
		size_t lines, pattern, address;
		enum taps_status status;
	} limits[] = {
		{ "most lines", TAPS_LINES_MAX, 1, 1, TAPS_OK },
		{ "one more", TAPS_LINES_MAX + 1, 1, 1, TAPS_MALFORMED },
		{ "longest pattern", 1, TAPS_PATTERN_MAX, 1, TAPS_OK },
		{ "longer", 1, TAPS_PATTERN_MAX + 1, 1, TAPS_MALFORMED },
		{ "longest address", 1, 1, ENVELOPE_ADDRESS_MAX, TAPS_OK },
		{ "longer", 1, 1, ENVELOPE_ADDRESS_MAX + 1, TAPS_MALFORMED },
	};
	static char address[ENVELOPE_ADDRESS_MAX + 1];
	struct taps taps = { 0 };

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		is_num(t, read_many(limits[i].lines, limits[i].pattern, limits[i].address, &taps),
		    limits[i].status, limits[i].what);
		taps_free(&taps);
	}
	memset(address, 'a', sizeof address);
	write_control("F:(a|aa|a*)*b$:t@z\nA:a$:u@z\n");
	is_num(t, taps_read(&taps), TAPS_OK, "an expression that makes some matchers slow");
	is_num(t, taps_see(&taps, ENVELOPE_SENDER, span_of(address, ENVELOPE_ADDRESS_MAX)),
	    TAPS_OK, "it is matched");
	is(t, taps_address(&taps), span_str("u@z"), "an address of all bytes it may have");
	taps_free(&taps);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };

	scratch_enter_home(&s);
	test_lines(&t);
	test_limits(&t);
	scratch_leave(&s);
	return done(&t);
}
