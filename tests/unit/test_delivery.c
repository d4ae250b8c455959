/* delivery: the environment of programs, the search for our own Delivered-To line. */
#include "local/delivery.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
	const char *ext, *values[4], *domain, *hosts[4];
} rows[] = {
	{ "", { "", "", "", "" }, "a.b", { "a.b", "a", "a", "a" } },
	{ "x", { "x", "", "", "" }, "h.sub.gold.example", { "h.sub.gold.example", "h.sub.gold",
		"h.sub", "h" } },
	{ "a-B.c-d-e-f", { "a-B.c-d-e-f", "B.c-d-e-f", "d-e-f", "e-f" }, "nodots", { "nodots",
		"nodots", "nodots", "nodots" } },
	{ "--", { "--", "-", "", "" }, "", { "", "", "", "" } },
	{ "-x", { "-x", "x", "", "" }, ".a", { ".a", "", "", "" } },
};

static void
test_parts(struct tap *t)
{
	static const char *const exts[] = { "EXT", "EXT2", "EXT3", "EXT4" };
	static const char *const hosts[] = { "HOST", "HOST2", "HOST3", "HOST4" };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct delivery d = { .user = "u", .home = "/h", .local = "l", .dash = "-",
			.ext = rows[i].ext, .domain = rows[i].domain, .sender = "s@x",
			.fallback = "", .file = DOTQMAIL_EMPTY };

		ok(t, delivery_describe(&d, 0) && delivery_export(&d), "exported");
		for (size_t j = 0; j < 4; j++) {
			is(t, span_str(getenv(exts[j])), span_str(rows[i].values[j]), exts[j]);
			is(t, span_str(getenv(hosts[j])), span_str(rows[i].hosts[j]), hosts[j]);
		}
		delivery_free(&d);
	}
}

static void
test_all(struct tap *t)
{
	static const struct {
		const char *name, *value;
	} want[] = {
		{ "USER", "joe" }, { "HOME", "/home/joe" }, { "LOCAL", "joe-Ext" },
		{ "HOST", "x.org" }, { "RECIPIENT", "joe-Ext@x.org" }, { "SENDER", "a b@y" },
		{ "NEWSENDER", "n@z" }, { "DTLINE", "Delivered-To: joe-Ext@x.org\n" },
		{ "RPLINE", "Return-Path: <\"a b\"@y>\n" },
		{ "UFLINE", "From a-b@y Thu Jan 01 00:00:00 1970\n" }, { "DEFAULT", "Ext" },
	};
	struct delivery d = { .user = "joe", .home = "/home/joe", .local = "joe-Ext", .dash = "-",
		.ext = "Ext", .domain = "x.org", .sender = "a b@y", .fallback = "./Mailbox",
		.file = DOTQMAIL_EMPTY };

	d.file.has_rest = true;
	buf_adds(&d.newsender, "n@z");
	ok(t, delivery_describe(&d, 0) && delivery_export(&d), "exported");
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		is(t, span_str(getenv(want[i].name)), span_str(want[i].value), want[i].name);
	d.file.has_rest = false;
	ok(t, delivery_export(&d) && !getenv("DEFAULT"), "an inherited DEFAULT is removed");
	delivery_free(&d);
}

#define LINE "Delivered-To: a@b\n"

static const struct {
	const char *name, *message;
	enum loopcheck_result result;
} messages[] = {
	{ "first line", LINE "x\n\n", LOOPCHECK_FOUND },
	{ "later line", "A: b\nC: d\n" LINE "\n", LOOPCHECK_FOUND },
	{ "in the body", "A: b\n\n" LINE, LOOPCHECK_NONE },
	{ "no header", "\n" LINE, LOOPCHECK_NONE },
	{ "other case", "delivered-to: a@b\n\n", LOOPCHECK_NONE },
	{ "longer", "Delivered-To: a@bc\n\n", LOOPCHECK_NONE },
	{ "shorter", "Delivered-To: a@\n\n", LOOPCHECK_NONE },
	{ "CRLF", "Delivered-To: a@b\r\n\n", LOOPCHECK_NONE },
	{ "behind a blank", " " LINE "\n", LOOPCHECK_NONE },
	{ "second half of a line", "X Delivered-To: a@b\n\n", LOOPCHECK_NONE },
	{ "no LF at the end", "Delivered-To: a@b", LOOPCHECK_MORE },
	{ "empty", "", LOOPCHECK_MORE },
	{ "header only", "A: b\n", LOOPCHECK_MORE },
};

static enum loopcheck_result
check(const char *message, size_t step)
{
	struct loopcheck c = { 0 };
	enum loopcheck_result r = LOOPCHECK_MORE;

	for (struct span left = span_str(message); left.n && r == LOOPCHECK_MORE;
	    left = span_tail(left, step))
		r = loopcheck_feed(&c, span_str(LINE), span_head(left, step));
	return r;
}

static void
test_loops(struct tap *t)
{
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
		for (size_t step = 1; step < 100; step *= 3)
			is_num(t, check(messages[i].message, step), messages[i].result,
			    messages[i].name);
}

int
main(void)
{
	struct tap t = { 0 };

	test_parts(&t);
	test_all(&t);
	test_loops(&t);
	return done(&t);
}
