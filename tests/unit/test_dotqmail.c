/* dotqmail: finding the file, decoding its lines. */
#include "mail/dotqmail.h"

#include <errno.h>
#include <unistd.h>

#include "baddisk.h"
#include "scratch.h"
#include "tap.h"

static const struct {
	const char *line;
	enum dot_kind kind;
	const char *text;
} lines[] = {
	{ "./mbox", DOT_MBOX, "./mbox" },
	{ "/abs/box", DOT_MBOX, "/abs/box" },
	{ ".", DOT_MBOX, "." },
	{ "./dir/", DOT_MAILDIR, "./dir/" },
	{ "/", DOT_MAILDIR, "/" },
	{ "./dir/ \t", DOT_MAILDIR, "./dir/" },
	{ "./dir/\r", DOT_MAILDIR, "./dir/" },
	{ "|prog a  b", DOT_PROGRAM, "prog a  b" },
	{ "| prog \r", DOT_PROGRAM, " prog" },
	{ "|", DOT_PROGRAM, "" },
	{ "&a@b", DOT_FORWARD, "a@b" },
	{ "& a@b", DOT_FORWARD, " a@b" },
	{ "&", DOT_FORWARD, "" },
	{ "a@b", DOT_FORWARD, "a@b" },
	{ " ./mbox", DOT_FORWARD, " ./mbox" },
	{ "two words", DOT_FORWARD, "two words" },
	{ "# a comment", DOT_NOTHING, "# a comment" },
	{ "+list", DOT_LIST, "+list" },
	{ "+list \t", DOT_LIST, "+list" },
	{ "+lists", DOT_NOTHING, "+lists" },
	{ "+LIST", DOT_NOTHING, "+LIST" },
	{ "+", DOT_NOTHING, "+" },
};

static void
test_lines(struct tap *t)
{
	struct buf text = { 0 };
	struct dot_line line;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		for (int end = 0; end < 2; end++) {
			size_t pos = 0;

			buf_reset(&text);
			buf_adds(&text, lines[i].line);
			buf_adds(&text, end ? "\n" : "");
			ok(t, dotqmail_next(buf_span(&text), &pos, &line), "a line");
			is_num(t, line.kind, lines[i].kind, lines[i].line);
			is(t, line.text, span_str(lines[i].text), "  its text");
			ok(t, !dotqmail_next(buf_span(&text), &pos, &line), "  no second line");
		}
	buf_free(&text);
}

static void
test_sequence(struct tap *t)
{
	static const char text[] = "a\n\n \nb\0c\n\r\nd";
	static const enum dot_kind kinds[] = { DOT_FORWARD, DOT_NOTHING, DOT_NOTHING, DOT_FORWARD,
		DOT_NOTHING, DOT_FORWARD };
	static const char *const texts[] = { "a", "", "", "b", "", "d" };
	struct dot_line line;
	size_t pos = 0, n = 0;

	while (dotqmail_next(span_of(text, sizeof text - 1), &pos, &line) && n < 6) {
		is_num(t, line.kind, kinds[n], "kind in order");
		is(t, line.text, span_str(texts[n]), "text in order");
		n++;
	}
	is_num(t, (long)n, 6, "six lines");
	pos = 0;
	ok(t, !dotqmail_next(span_str(""), &pos, &line), "no text, no line");
}

static const struct {
	const char *text;
	bool forward_only;
	enum dotqmail_check result;
} checks[] = {
	{ "", false, DOTQMAIL_BLANK },
	{ "# only a comment", false, DOTQMAIL_FINE },
	{ "./mbox\n|prog\na@b\n", false, DOTQMAIL_FINE },
	{ "a@b\n# c\n\n", true, DOTQMAIL_FINE },
	{ "\n./mbox\n", false, DOTQMAIL_BLANK },
	{ " \t\n", false, DOTQMAIL_BLANK },
	{ "\r\n", false, DOTQMAIL_BLANK },
	{ "a\n\n", false, DOTQMAIL_FINE },
	{ "./mbox", true, DOTQMAIL_NO_FILES },
	{ "./dir/", true, DOTQMAIL_NO_FILES },
	{ "|prog", true, DOTQMAIL_NO_PROGRAMS },
	{ "./mbox\n+list\na\n", false, DOTQMAIL_FINE },
	{ "a\n+list\n./mbox\n", false, DOTQMAIL_NO_FILES },
	{ "+list\n|p\n./mbox\n", false, DOTQMAIL_NO_PROGRAMS },
};

static void
test_checks(struct tap *t)
{
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
		ok(t, dotqmail_check(span_str(checks[i].text), checks[i].forward_only) ==
		    checks[i].result, "check %zu", i);
}

/* Which of the files (separated by blanks) is taken, and what DEFAULT becomes ("-" = unset). */
static const struct {
	const char *files, *dash, *ext, *name, *rest;
} searches[] = {
	{ ".qmail", "", "", ".qmail", "-" },
	{ ".qmaildefault", "", "", ".qmaildefault", "" },
	{ ".qmail-a .qmail-default", "-", "a", ".qmail-a", "-" },
	{ ".qmail-default", "-", "a", ".qmail-default", "a" },
	{ ".qmail-a- .qmail-a-default", "-", "a-", ".qmail-a-", "-" },
	{ ".qmail-a-default .qmail-default", "-", "a-", ".qmail-a-default", "" },
	{ ".qmail-a-b-default .qmail-a-default", "-", "a-b-c", ".qmail-a-b-default", "c" },
	{ ".qmail-a-default .qmail-default", "-", "a-B.x-C", ".qmail-a-default", "B.x-C" },
	{ ".qmail-default", "-", "A-b-C", ".qmail-default", "A-b-C" },
	{ ".qmail-a-b-default", "-", "a-b-", ".qmail-a-b-default", "" },
	{ ".qmail-jo:doe .qmail-default", "-", "Jo.Doe", ".qmail-jo:doe", "-" },
	{ ".qmail-default", "-", "Default", ".qmail-default", "Default" },
	{ ".qmail-a-default", "-", "a-dEfault", ".qmail-a-default", "dEfault" },
	{ ".qmail-xdefault", "-", "xdefault", ".qmail-xdefault", "default" },
	{ ".qmail-nobody .qmail-default", "", "-nobody", ".qmail-nobody", "-" },
	{ ".qmail-default .qmaildefault", "", "-nobody", ".qmail-default", "nobody" },
	{ ".qmaildefault", "", "-nobody", ".qmaildefault", "-nobody" },
	{ ".qmail-a", "-", "b", "", "-" },
	{ ".qmail-A", "-", "A", "", "-" },
	{ ".qmail-default", "-", "::/..", ".qmail-default", "::/.." },
};

static void
each_file(const char *files, bool make)
{
	struct buf name = { 0 };

	for (struct span left = span_str(files); left.n;) {
		size_t n = span_chr(left, ' ');

		buf_reset(&name);
		buf_add(&name, left.p, n);
		if (make)
			close(scratch_file(buf_str(&name), "x\n"));
		else if (unlink(buf_str(&name)) == -1)
			abort();
		left = span_tail(left, n + 1);
	}
	buf_free(&name);
}

static void
test_searches(struct tap *t)
{
	for (size_t i = 0; i < sizeof searches / sizeof searches[0]; i++) {
		struct dotqmail d = DOTQMAIL_EMPTY;
		struct span ext = span_str(searches[i].ext);
		bool found = searches[i].name[0];

		each_file(searches[i].files, true);
		is_num(t, dotqmail_find(&d, span_str(searches[i].dash), ext),
		    found ? DOTQMAIL_FOUND : DOTQMAIL_ABSENT, searches[i].files);
		is(t, buf_span(&d.name), span_str(searches[i].name), "  the file");
		is(t, d.has_rest ? span_tail(ext, d.rest) : span_str("-"),
		    span_str(searches[i].rest), "  DEFAULT");
		dotqmail_free(&d);
		each_file(searches[i].files, false);
	}
}

static enum dotqmail_status
find(struct dotqmail *d)
{
	dotqmail_free(d);
	*d = (struct dotqmail)DOTQMAIL_EMPTY;
	return dotqmail_find(d, span_str("-"), span_str("a"));
}

static void
test_kinds_of_files(struct tap *t)
{
	struct dotqmail d = DOTQMAIL_EMPTY;

	close(scratch_file(".qmail-a", "text"));
	is_num(t, find(&d), DOTQMAIL_FOUND, "a file");
	is(t, buf_span(&d.text), span_str("text"), "  its text");
	ok(t, !d.forward_only, "  everything allowed");
	chmod(".qmail-a", 0700);
	is_num(t, find(&d), DOTQMAIL_FOUND, "executable");
	ok(t, d.forward_only, "  only forwards allowed");
	chmod(".qmail-a", 0611);
	is_num(t, find(&d), DOTQMAIL_FOUND, "executable for others");
	ok(t, !d.forward_only, "  does not count");
	chmod(".qmail-a", 0602);
	is_num(t, find(&d), DOTQMAIL_WRITABLE, "writable for others");
	chmod(".qmail-a", 0620);
	is_num(t, find(&d), DOTQMAIL_FOUND, "writable for the group");
	unlink(".qmail-a");
	close(scratch_file(".qmail-default", "fallback"));
	if (mkdir(".qmail-a", 0700) == -1)
		abort();
	is_num(t, find(&d), DOTQMAIL_FOUND, "a directory is passed over");
	is(t, buf_span(&d.name), span_str(".qmail-default"), "  the next candidate");
	rmdir(".qmail-a");
	if (mkfifo(".qmail-a", 0600) == -1)
		abort();
	is_num(t, find(&d), DOTQMAIL_FOUND, "so is a FIFO");
	unlink(".qmail-a");
	if (symlink(".qmail-a", ".qmail-a") == -1)
		abort();
	is_num(t, find(&d), DOTQMAIL_FOUND, "and a loop of links");
	unlink(".qmail-a");
	if (symlink("elsewhere", ".qmail-a") == -1)
		abort();
	close(scratch_file("elsewhere", "linked"));
	is_num(t, find(&d), DOTQMAIL_FOUND, "a link is followed");
	is(t, buf_span(&d.text), span_str("linked"), "  to its file");
	dotqmail_free(&d);
}

/* Each error of a list: what a search makes of it, and a look. */
static void
test_errors(struct tap *t, const int *errors, size_t n, enum dotqmail_status found,
    enum dotqmail_status exists)
{
	struct dotqmail d = DOTQMAIL_EMPTY;
	struct buf name = { 0 };

	for (size_t i = 0; i < n; i++) {
		enum dotqmail_status search, look;

		baddisk_error = errors[i];
		search = find(&d);
		look = dotqmail_exists(&name, span_str("-"), span_str("a"), "-owner");
		baddisk_error = 0;
		is_num(t, search, found, strerror(errors[i]));
		is_num(t, look, exists, "  stat");
	}
	dotqmail_free(&d);
	buf_free(&name);
}

static void
test_bad_disk(struct tap *t)
{
	test_errors(t, baddisk_absent, sizeof baddisk_absent / sizeof(int), DOTQMAIL_ABSENT,
	    DOTQMAIL_ABSENT);
	test_errors(t, baddisk_trouble, sizeof baddisk_trouble / sizeof(int), DOTQMAIL_OPEN,
	    DOTQMAIL_OPEN);
	test_errors(t, baddisk_denied, sizeof baddisk_denied / sizeof(int), DOTQMAIL_OPEN,
	    DOTQMAIL_ABSENT);
}

static void
test_limit(struct tap *t)
{
	struct dotqmail d = DOTQMAIL_EMPTY;

	close(scratch_file("elsewhere", ""));
	for (int over = -1; over <= 1; over++) {
		if (truncate("elsewhere", (off_t)DOTQMAIL_MAX + over) == -1)
			abort();
		is_num(t, find(&d), over > 0 ? DOTQMAIL_READ : DOTQMAIL_FOUND,
		    "around the limit");
		ok(t, over > 0 ? errno == EFBIG : d.text.n == DOTQMAIL_MAX + (size_t)over, "  %d",
		    over);
	}
	dotqmail_free(&d);
}

static void
test_exists(struct tap *t)
{
	struct buf name = { 0 };

	close(scratch_file(".qmail-list:x-owner", ""));
	is_num(t, dotqmail_exists(&name, span_str("-"), span_str("List.X"), "-owner"),
	    DOTQMAIL_FOUND, "owner");
	is(t, buf_span(&name), span_str(".qmail-list:x-owner"), "  its name");
	is_num(t, dotqmail_exists(&name, span_str("-"), span_str("List.X"), "-owner-default"),
	    DOTQMAIL_ABSENT, "no owner-default");
	buf_free(&name);
}

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	scratch_enter(&scratch);
	test_lines(&t);
	test_sequence(&t);
	test_checks(&t);
	test_searches(&t);
	test_kinds_of_files(&t);
	test_limit(&t);
	test_bad_disk(&t);
	test_exists(&t);
	scratch_leave(&scratch);
	return done(&t);
}
