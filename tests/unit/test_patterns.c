/* patterns: what lines are, what they hit, which cannot be used, and how many there may be. */
#include "smtp/patterns.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

static const struct {
	enum patterns_syntax syntax;
	const char *file, *subject;
	enum patterns_status want;
	const char *line;
	bool plain;
} rows[] = {
	{ PATTERNS_MIXED, "@a.com\n", "x@a.com", PATTERNS_HIT, "@a.com", true },
	{ PATTERNS_MIXED, "@a.com\n", "x@A.COM", PATTERNS_HIT, "@A.COM", true },
	{ PATTERNS_MIXED, "@a.com\n", "x@a.com.tw", PATTERNS_NO, NULL, false },
	{ PATTERNS_MIXED, "@a.com\n", "x@aXcom", PATTERNS_NO, NULL, false },
	{ PATTERNS_MIXED, "u@a.com\n", "u@a.com", PATTERNS_HIT, "u@a.com", true },
	{ PATTERNS_MIXED, "u@a.com\n", "xu@a.com", PATTERNS_NO, NULL, false },
	{ PATTERNS_MIXED, "a+b=c/d&e~f-g_h@x.org\n", "a+b=c/d&e~f-g_h@x.org", PATTERNS_HIT,
	    "a+b=c/d&e~f-g_h@x.org", true },
	{ PATTERNS_MIXED, "u@@a\n", "xu@@ay", PATTERNS_HIT, "u@@a", false },
	{ PATTERNS_MIXED, "joe\n", "mayjoebe@x", PATTERNS_HIT, "joe", false },
	{ PATTERNS_MIXED, "^.*@a[.]com$\n", "x@a.com", PATTERNS_HIT, "^.*@a[.]com$", false },
	{ PATTERNS_MIXED, "!@a[.]com$\n", "x@b", PATTERNS_HIT, "!@a[.]com$", false },
	{ PATTERNS_MIXED, "!@a[.]com$\n", "x@a.com", PATTERNS_NO, NULL, false },
	{ PATTERNS_MIXED, "first\n.\n", "x", PATTERNS_HIT, ".", false },
	{ PATTERNS_MIXED, "# .\n\n  \n", "x", PATTERNS_NO, NULL, false },
	{ PATTERNS_MIXED, ".", "x", PATTERNS_HIT, ".", false },
	{ PATTERNS_PLAIN, "a.*\n", "abc", PATTERNS_NO, NULL, false },
	{ PATTERNS_PLAIN, "a.*\n", "a.*", PATTERNS_HIT, "a.*", true },
	{ PATTERNS_EXPRESSION, "@a.com\n", "x@a.com.tw", PATTERNS_HIT, "@a.com", false },
	{ PATTERNS_EXPRESSION, "ABC\n", "xabcx", PATTERNS_HIT, "ABC", false },
	{ PATTERNS_EXPRESSION, "!(\n", "x", PATTERNS_NO, NULL, false },
	{ PATTERNS_WILDMAT, "*@*\n!*@*.*\n", "a@b", PATTERNS_HIT, "*@*", false },
	{ PATTERNS_WILDMAT, "*@*\n!*@*.*\n", "a@b.c", PATTERNS_NO, NULL, false },
	{ PATTERNS_WILDMAT, "!*@*.*\n*@*\n", "a@b.c", PATTERNS_HIT, "*@*", false },
	{ PATTERNS_WILDMAT, "*@B\n", "A@b", PATTERNS_HIT, "*@b", false },
	{ PATTERNS_WILDMAT, "a@b\n", "xa@b", PATTERNS_NO, NULL, false },
};

static void
put(const char *text)
{
	(void)close(scratch_file("control/list", text));
}

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct patterns p = { 0 };
		struct buf complaints = { 0 };
		struct span line = { NULL, 0 };
		bool plain = false, good;
		enum patterns_status found;

		put(rows[i].file);
		good = patterns_read(&p, NULL, "list", rows[i].syntax, &complaints) == 0 &&
		    patterns_finish(&p);
		found = patterns_find(&p, span_str(rows[i].subject), &line, &plain);
		ok(t, good && found == rows[i].want && (found != PATTERNS_HIT ||
		    (plain == rows[i].plain && span_eq(line, span_str(rows[i].line)))),
		    "row %zu: %s", i, rows[i].subject);
		buf_free(&complaints);
		patterns_free(&p);
	}
}

static void
test_complaints(struct tap *t)
{
	struct patterns p = { 0 };
	struct buf complaints = { 0 };

	put("#\n(a)\\1\n\na{200}{200}\n[a\x01\n");
	ok(t, patterns_read(&p, NULL, "list", PATTERNS_EXPRESSION, &complaints) == 0 && p.n == 0,
	    "lines that cannot be used");
	ok(t, strncmp(buf_str(&complaints), "control/list line 2: (a)\\1: back-references are not "
	    "supported\ncontrol/list line 4: a{200}{200}: too long, or too many repetitions\n"
	    "control/list line 5: [a?: ", 140) == 0, "%s", "are named");
	buf_free(&complaints);
	patterns_free(&p);
}

static void
test_limits(struct tap *t)
{
	struct buf text = { 0 }, complaints = { 0 };
	struct patterns p = { 0 };
	struct span line;
	bool plain;

	for (size_t i = 0; i < PATTERNS_MAX; i++)
		buf_adds(&text, "x.\n");
	put(buf_str(&text));
	ok(t, patterns_read(&p, NULL, "list", PATTERNS_WILDMAT, &complaints) == 0, "full");
	buf_reset(&text);
	buf_adds(&text, "y.\n");
	put(buf_str(&text));
	ok(t, patterns_read(&p, NULL, "list", PATTERNS_WILDMAT, &complaints) == -1 &&
	    errno == EFBIG, "one more");
	patterns_free(&p);
	ok(t, patterns_read(&p, NULL, "none", PATTERNS_MIXED, &complaints) == 0 &&
	    patterns_finish(&p) &&
	    patterns_find(&p, span_str("x"), &line, &plain) == PATTERNS_NO, "no file");
	(void)!mkdir("control/dir", 0700);
	ok(t, patterns_read(&p, NULL, "dir", PATTERNS_MIXED, &complaints) == -1, "a directory");
	patterns_free(&p);
	buf_free(&text);
	buf_free(&complaints);
}

int
main(void)
{
	struct scratch scratch;
	struct tap tap = { 0 }, *t = &tap;

	scratch_enter_home(&scratch);
	test_rows(t);
	test_complaints(t);
	test_limits(t);
	scratch_leave(&scratch);
	return done(t);
}
