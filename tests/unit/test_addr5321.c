/* addr5321: paths of SMTP commands, and quoting. */
#include "mail/addr5321.h"

#include "tap.h"

static const struct {
	const char *name, *in;
	enum addr_status status;
	const char *addr, *rest;
} paths[] = {
	{ "plain", "<a@b.example>", ADDR_OK, "a@b.example", "" },
	{ "null sender", "<>", ADDR_OK, "", "" },
	{ "nothing at all", "", ADDR_OK, "", "" },
	{ "parameters", "<a@b> SIZE=9 BODY=8BITMIME", ADDR_OK, "a@b", " SIZE=9 BODY=8BITMIME" },
	{ "tab before parameters", "<a@b>\tX", ADDR_OK, "a@b", "\tX" },
	{ "blank in front", "  <a@b>", ADDR_OK, "a@b", "" },
	{ "word in front", "Joe <a@b>", ADDR_OK, "a@b", "" },
	{ "no brackets", " u@c SIZE=1", ADDR_OK, "u@c", " SIZE=1" },
	{ "no brackets, bare", "u@c", ADDR_OK, "u@c", "" },
	{ "source route", "<@a,@b:u@c>", ADDR_OK, "u@c", "" },
	{ "source route without brackets", "@a,@b:u@c x", ADDR_OK, "u@c", " x" },
	{ "route without end", "<@a,@b>", ADDR_OK, "", "" },
	{ "empty route", "<@:u@c>", ADDR_OK, "u@c", "" },
	{ "quoted", "<\"a b\"@c>", ADDR_OK, "a b@c", "" },
	{ "quoted in the middle", "<a\" \"b@c>", ADDR_OK, "a b@c", "" },
	{ "quoted terminator", "<\"a>b\"@c>", ADDR_OK, "a>b@c", "" },
	{ "quoted at sign", "<\"a@b\"@c>", ADDR_OK, "a@b@c", "" },
	{ "escaped space", "<a\\ b@c>", ADDR_OK, "a b@c", "" },
	{ "escape in quotes", "<\"a\\\"b\\\\\"@c>", ADDR_OK, "a\"b\\@c", "" },
	{ "escaped terminator", "<a\\>b@c>", ADDR_OK, "a>b@c", "" },
	{ "escape at the end", "<a@c\\", ADDR_OK, "a@c", "" },
	{ "two at signs", "<a@b@c>", ADDR_OK, "a@b@c", "" },
	{ "missing bracket", "<u@c", ADDR_OK, "u@c", "" },
	{ "missing quote", "<\"u@c>", ADDR_OK, "u@c>", "" },
	{ "quoted space without brackets", "\"a b\"@c x", ADDR_OK, "a b@c", " x" },
	{ "example of the header", "<@a,@b:\"j d\"@x.org> SIZE=9", ADDR_OK, "j d@x.org",
	    " SIZE=9" },
	{ "8-bit", "<\xc3\xa4@b>", ADDR_OK, "\xc3\xa4@b", "" },
	{ "junk after it", "<a@b>c", ADDR_SYNTAX, "", "" },
	{ "second bracket", "<<a@b>>", ADDR_SYNTAX, "", "" },
	{ "tab inside", "<a\tb@c>", ADDR_CONTROL, "", "" },
	{ "DEL", "<a\x7f@c>", ADDR_CONTROL, "", "" },
	{ "byte 31", "<a\x1f@c>", ADDR_CONTROL, "", "" },
	{ "quoted CR", "<\"a\\\r\"@c>", ADDR_CONTROL, "", "" },
	{ "control outside the path", "<a@c> X\x01", ADDR_OK, "a@c", " X\x01" },
};

static void
test_paths(struct tap *t)
{
	struct buf addr = { 0 };
	struct span rest;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		buf_adds(&addr, "old");
		is_num(t, addr5321_parse(span_str(paths[i].in), &addr, &rest), paths[i].status,
		    paths[i].name);
		if (paths[i].status != ADDR_OK)
			continue;
		is(t, buf_span(&addr), span_str(paths[i].addr), "  its address");
		is(t, rest, span_str(paths[i].rest), "  its rest");
	}
	is_num(t, addr5321_parse(span_of("<a\0b@c>", 7), &addr, &rest), ADDR_CONTROL, "NUL");
	buf_free(&addr);
}

static enum addr_status
parse_length(size_t n, char fill)
{
	struct buf in = { 0 }, addr = { 0 };
	struct span rest;
	enum addr_status s;

	buf_addc(&in, '<');
	for (size_t i = 0; i < n; i++)
		buf_addc(&in, fill);
	buf_addc(&in, '>');
	s = addr5321_parse(buf_span(&in), &addr, &rest);
	if (s == ADDR_OK && addr.n != n)
		s = ADDR_SYNTAX;
	buf_free(&in);
	buf_free(&addr);
	return s;
}

static void
test_limit(struct tap *t)
{
	struct buf small = BUF_CAP(3);
	struct span rest;

	is_num(t, parse_length(ADDR5321_MAX - 1, 'a'), ADDR_OK, "one byte below the limit");
	is_num(t, parse_length(ADDR5321_MAX, 'a'), ADDR_OK, "at the limit");
	is_num(t, parse_length(ADDR5321_MAX + 1, 'a'), ADDR_TOOLONG, "one byte above");
	is_num(t, parse_length(1000000, 'a'), ADDR_TOOLONG, "a megabyte");
	is_num(t, parse_length(ADDR5321_MAX + 1, '\x01'), ADDR_TOOLONG, "too long comes first");
	is_num(t, addr5321_parse(span_str("<abcd>"), &small, &rest), ADDR_TOOLONG,
	    "over the caller's cap");
	buf_free(&small);
}

static const struct {
	const char *raw, *quoted;
} quotes[] = {
	{ "", "" },
	{ "joe@x.org", "joe@x.org" },
	{ "joe", "joe" },
	{ "a.b.c@x", "a.b.c@x" },
	{ "!#$%&'*+-/=?^_`{|}~9Z@x", "!#$%&'*+-/=?^_`{|}~9Z@x" },
	{ "j d@x.org", "\"j d\"@x.org" },
	{ "a@b@c", "\"a@b\"@c" },
	{ "@x", "\"\"@x" },
	{ ".a@x", "\".a\"@x" },
	{ "a.@x", "\"a.\"@x" },
	{ "a..b@x", "\"a..b\"@x" },
	{ "a\"b\\c@x", "\"a\\\"b\\\\c\"@x" },
	{ "a\rb\nc@x", "\"a\\\rb\\\nc\"@x" },
	{ "a(b@x", "\"a(b\"@x" },
	{ "\xe4@x", "\"\xe4\"@x" },
	{ "a\x7f@x", "\"a\x7f\"@x" },
	{ "two words", "\"two words\"" },
	{ "a@odd domain", "a@odd domain" },
	{ "#@[]", "#@[]" },
};

static void
test_quoting(struct tap *t)
{
	struct buf to = { 0 }, back = { 0 };
	struct span rest;

	for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
		buf_reset(&to);
		addr5321_quote(&to, span_str(quotes[i].raw));
		is(t, buf_span(&to), span_str(quotes[i].quoted), "quoting");
	}
	buf_reset(&to);
	buf_adds(&to, "<");
	addr5321_quote(&to, span_str("a \"\\>b@c"));
	buf_adds(&to, ">");
	ok(t, addr5321_parse(buf_span(&to), &back, &rest) == ADDR_OK, "quoted text parses");
	is(t, buf_span(&back), span_str("a \"\\>b@c"), "and gives the address back");
	buf_free(&to);
	buf_free(&back);
}

static void
test_parts(struct tap *t)
{
	is(t, addr5321_local(span_str("a@b@c")), span_str("a@b"), "local part: before the last @");
	is(t, addr5321_domain(span_str("a@b@c")), span_str("c"), "domain: after the last @");
	is(t, addr5321_local(span_str("joe")), span_str("joe"), "no @: all is local");
	is(t, addr5321_domain(span_str("joe")), span_str(""), "no @: no domain");
	is(t, addr5321_domain(span_str("joe@")), span_str(""), "empty domain");
	ok(t, addr5321_needs_quotes(span_str("")), "an empty local part needs quotes");
	ok(t, addr5321_needs_quotes(span_of("a\0b", 3)), "so does NUL");
	ok(t, !addr5321_needs_quotes(span_str("a.b")), "a dot inside does not");
}

int
main(void)
{
	struct tap t = { 0 };

	test_paths(&t);
	test_limit(&t);
	test_quoting(&t);
	test_parts(&t);
	return done(&t);
}
