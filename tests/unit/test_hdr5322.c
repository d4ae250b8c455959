/* hdr5322: tokens, lists, completing, writing; a corpus of hard header fields. */
#include "mail/hdr5322.h"

#include <stdlib.h>

#include "tap.h"

#define S(text) { text, sizeof text - 1 }

struct work {
	struct hdr5322_rules rules;
	struct hdr5322_tokens in, out;
	struct buf text, recipients;
};

static struct hdr5322_tokens
tokens_of(const char *text)
{
	struct hdr5322_tokens t = { 0 };

	if (hdr5322_tokenize(span_str(text), &t) != HDR5322_OK)
		abort();
	return t;
}

static void
work_init(struct work *w)
{
	*w = (struct work){ .rules = { .default_host = tokens_of("@host.example.com"),
		.default_domain = tokens_of(".example.com"),
		.plus_domain = tokens_of(".example.com") } };
	buf_init(&w->text, 1 << 20);
}

static void
work_free(struct work *w)
{
	hdr5322_free(&w->rules.default_host);
	hdr5322_free(&w->rules.default_domain);
	hdr5322_free(&w->rules.plus_domain);
	hdr5322_free(&w->in);
	hdr5322_free(&w->out);
	buf_free(&w->text);
	buf_free(&w->recipients);
}

/* Completes each address and notes it as `<address>`. */
static enum hdr5322_status
use(void *arg, struct hdr5322_tokens *address)
{
	struct work *w = arg;

	hdr5322_complete(&w->rules, address);
	buf_addc(&w->recipients, '<');
	hdr5322_envelope(address, &w->recipients);
	buf_addc(&w->recipients, '>');
	return address->status;
}

static enum hdr5322_status
redo(struct work *w, struct span value)
{
	enum hdr5322_status status = hdr5322_tokenize(value, &w->in);

	buf_reset(&w->text);
	buf_reset(&w->recipients);
	if (status == HDR5322_OK)
		status = hdr5322_list(&w->in, use, w, &w->out);
	if (status == HDR5322_OK)
		hdr5322_write(span_str("To"), &w->out, &w->text);
	return status;
}

/* in: the value; out: the field without LF, NULL: syntax error; recipients in the order found */
static const struct row {
	struct span in;
	const char *out, *recipients;
} rows[] = {
	/* the table of the specification */
	{ S(" a"), "To: a@host.example.com", "<a@host.example.com>" },
	{ S(" a@b"), "To: a@b.example.com", "<a@b.example.com>" },
	{ S(" a@b.cs+"), "To: a@b.cs.example.com", "<a@b.cs.example.com>" },
	{ S("a@b.c"), "To: a@b.c", "<a@b.c>" },
	{ S(" ann fred"), "To: ann@host.example.com, fred@host.example.com",
		"<fred@host.example.com><ann@host.example.com>" },
	{ S(" (Name) foo@bar.x"), "To: foo@bar.x (Name)", "<foo@bar.x>" },
	{ S(" foo(c)@bar.x"), "To: foo@bar.x (c)", "<foo@bar.x>" },
	{ S(" Name <foo@bar.x> (c)"), "To: Name <foo@bar.x>(c)", "<foo@bar.x>" },
	{ S(" \"A (B) C\" <a@b.c>"), "To: \"A \\(B\\) C\" <a@b.c>", "<a@b.c>" },
	{ S(" a (x (y) z) <q@r.s>"), "To: a (x y z) <q@r.s>", "<q@r.s>" },
	{ S(" <@x,@y:a@b.c>"), "To: <a@b.c>", "<a@b.c>" },
	{ S(" a@b.c."), "To: a@b.c", "<a@b.c>" },
	{ S(" a@"), "To: a@host.example.com", "<a@host.example.com>" },
	{ S(" grp: a@b.c, d@e.f;, g@h.i"), "To: grp: a@b.c, d@e.f;, g@h.i",
		"<g@h.i><d@e.f><a@b.c>" },
	{ S(" undisclosed-recipients:;"), "To: undisclosed-recipients: ;", "" },
	{ S(" a@b.c; d@e.f"), "To: a@b.c;, d@e.f", "<d@e.f><a@b.c>" },
	{ S(" a@b.c; d@e.f;"), NULL, "" },
	{ S(" foo: bar@x.y"), NULL, "" },
	{ S(" a@b.c>"), NULL, "" },
	{ S(" \"abc"), NULL, "" },
	{ S(" a@b.c,,d@e.f"), "To: a@b.c, , d@e.f", "<d@e.f><a@b.c>" },
	{ S(" a@b.c <d@e.f>"), "To: a@b.c <d@e.f>", "<d@e.f>" },
	{ S(" a)b"), "To: \"a\\)b\"@host.example.com", "<a)b@host.example.com>" },
	/* better than that table: dots in phrases, UTF-8 */
	{ S(" John Q. Public <a@b.c>"), "To: John Q. Public <a@b.c>", "<a@b.c>" },
	{ S(" John Q . Public <a@b.c>"), "To: John Q . Public <a@b.c>", "<a@b.c>" },
	{ S(" J.Q.Public <a@b.c>"), "To: J.Q.Public <a@b.c>", "<a@b.c>" },
	{ S(" John Q.(x) Public <a@b.c>"), "To: John Q.(x) Public <a@b.c>", "<a@b.c>" },
	{ S(" Public, Inc. <a@b.c>"), "To: Public@host.example.com, Inc. <a@b.c>",
		"<a@b.c><Public@host.example.com>" },
	{ S(" Jos\xc3\xa9 <a@b.c>"), "To: Jos\xc3\xa9 <a@b.c>", "<a@b.c>" },
	{ S(" a@b\xc3\xbc" "cher.de"), "To: a@b\xc3\xbc" "cher.de", "<a@b\xc3\xbc" "cher.de>" },
	{ S(" J\xf6rg <a@b.c>"), "To: \"J\xf6rg\" <a@b.c>", "<a@b.c>" },
	{ S(" a@b . c"), "To: a@b.c", "<a@b.c>" },
	{ S(" < a @ b . c >"), "To: <a@b.c>", "<a@b.c>" },
	/* empty ones */
	{ S(""), "To:", "" },
	{ S(" "), "To:", "" },
	{ S(" ()"), "To: ()", "" },
	{ S(" ,"), "To: ,", "" },
	{ S(" a@b.c,"), "To: a@b.c,", "<a@b.c>" },
	{ S(" ,,,"), "To: , , ,", "" },
	{ S(" <>"), "To: <>", "<>" },
	{ S(" Name <>"), "To: Name <>", "<>" },
	{ S(" @x"), "To:", "<>" },
	{ S(" <@x>"), "To: <>", "<>" },
	{ S(" \"\""), "To: \"\"@host.example.com", "<@host.example.com>" },
	{ S(" ."), "To:", "<>" },
	/* angle addresses */
	{ S(" <a@b.c><d@e.f>"), "To: <a@b.c> <d@e.f>", "<d@e.f><a@b.c>" },
	{ S(" <a@b.c> d@e.f"), "To: <a@b.c>, d@e.f", "<d@e.f><a@b.c>" },
	{ S(" Name <a@b.c> d@e.f, g"), "To: Name <a@b.c>, d@e.f, g@host.example.com",
		"<g@host.example.com><d@e.f><a@b.c>" },
	{ S(" <a (x) @b.c>"), "To: <a (x)@b.c>", "<a@b.c>" },
	{ S(" <a"), "To: <a@host.example.com", "<<a@host.example.com>" },
	{ S(" a> <b@c.d>"), NULL, "" },
	{ S(" >"), NULL, "" },
	{ S(" \"x, y\" <a@b.c>, z@y.x"), "To: \"x, y\" <a@b.c>, z@y.x", "<z@y.x><a@b.c>" },
	/* groups */
	{ S(" g: a, b;"), "To: g: a@host.example.com, b@host.example.com;",
		"<b@host.example.com><a@host.example.com>" },
	{ S(" g: N <a@b.c>;, h:;"), "To: g: N <a@b.c>;, h: ;", "<a@b.c>" },
	{ S(" x@y.z, two words: a@b.c;"), "To: x@y.z, two words: a@b.c;", "<a@b.c><x@y.z>" },
	{ S(" g: a@b.c;;"), NULL, "" },
	{ S(" :;"), "To: : ;", "" },
	{ S(" :"), NULL, "" },
	{ S(" ;"), "To: ;", "" },
	{ S(" a@b.c;"), "To: a@b.c;", "<a@b.c>" },
	{ S(" a@b.c; x"), "To: a@b.c;, x@host.example.com",
		"<x@host.example.com><a@b.c>" },
	/* special and literal domains, completing */
	{ S(" #@[]"), "To: #@[]", "<#@[]>" },
	{ S(" \"x-@y-\"@[]"), "To: \"x-@y-\"@[]", "<x-@y-@[]>" },
	{ S(" box@[1.2.3.4]"), "To: box@[1.2.3.4]", "<box@[1.2.3.4]>" },
	{ S(" box@[a\\]b]"), "To: box@[a\\]b]", "<box@[a]b]>" },
	{ S(" box@localhost"), "To: box@localhost.example.com", "<box@localhost.example.com>" },
	{ S(" a@b+"), "To: a@b.example.com", "<a@b.example.com>" },
	{ S(" a+"), "To: a+@host.example.com", "<a+@host.example.com>" },
	{ S(" a@b.."), "To: a@b.", "<a@b.>" },
	{ S(" a.b"), "To: a.b@host.example.com", "<a.b@host.example.com>" },
	{ S(" a@b@c"), "To: a@b@c.example.com", "<a@b@c.example.com>" },
	{ S(" @x,@y:a@b.c"), NULL, "" },
	{ S(" <@x:a@b.c.>"), "To: <a@b.c>", "<a@b.c>" },
	/* quoting */
	{ S(" \"a b\"@c.d"), "To: \"a b\"@c.d", "<a b@c.d>" },
	{ S(" \"a\\\"b\"@c.d"), "To: \"a\\\"b\"@c.d", "<a\"b@c.d>" },
	{ S(" \"a\\\\b\"@c.d"), "To: \"a\\\\b\"@c.d", "<a\\b@c.d>" },
	{ S(" \"abc\"@d.e"), "To: \"abc\"@d.e", "<abc@d.e>" },
	{ S(" a\\@b@c.d"), "To: \"a@b\"@c.d", "<a@b@c.d>" },
	{ S(" a\\ b@c.d"), "To: \"a b\"@c.d", "<a b@c.d>" },
	{ S(" a\\,b@c.d"), "To: \"a,b\"@c.d", "<a,b@c.d>" },
	{ S(" a\\b@c.d"), "To: ab@c.d", "<ab@c.d>" },
	{ S(" a\\\\b@c.d"), "To: \"a\\\\b\"@c.d", "<a\\b@c.d>" },
	{ S(" a]b@c.d"), "To: \"a\\]b\"@c.d", "<a]b@c.d>" },
	{ S(" a@b.c\\"), "To: a@b.c", "<a@b.c>" },
	{ S(" \\"), "To:", "" },
	{ S(" a\x01" "b@c.d"), "To: \"a\x01" "b\"@c.d", "<a\x01" "b@c.d>" },
	{ S(" a\x7f@c.d"), "To: \"a\x7f\"@c.d", "<a\x7f@c.d>" },
	{ S(" )"), NULL, "" },
	{ S(" ]"), NULL, "" },
	{ S(" a )"), NULL, "" },
	{ S(" (abc"), NULL, "" },
	{ S(" (a(b)"), NULL, "" },
	{ S(" a@[1.2"), NULL, "" },
	{ S(" \"abc\\\""), NULL, "" },
	{ S(" (a\\)b) c@d.e"), "To: c@d.e (a\\)b)", "<c@d.e>" },
	{ S(" (a[b]\"c) c@d.e"), "To: c@d.e (a\\[b\\]\\\"c)", "<c@d.e>" },
	/* folding */
	{ S(" a@x.y,\n  b@y.z,\n\tc@z.x\n"), "To: a@x.y, b@y.z, c@z.x", "<c@z.x><b@y.z><a@x.y>" },
	{ S(" \"long\n name\" <a@b.c>\n"), "To: \"long name\" <a@b.c>", "<a@b.c>" },
	{ S(" \"long\r\n\tname\" <a@b.c>\n"), "To: \"long\tname\" <a@b.c>", "<a@b.c>" },
	{ S(" \"long\nname\" <a@b.c>"), "To: \"long name\" <a@b.c>", "<a@b.c>" },
	{ S(" \"long\\\n name\" <a@b.c>"), "To: \"long name\" <a@b.c>", "<a@b.c>" },
	{ S(" (a\n b) a@b.c"), "To: a@b.c (a b)", "<a@b.c>" },
	{ S(" a\\\n b@c.d"), "To: a@host.example.com, b@c.d", "<b@c.d><a@host.example.com>" },
};

static void
test_rows(struct tap *t)
{
	struct work w;

	work_init(&w);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		enum hdr5322_status status = redo(&w, r->in);
		char name[256];

		snprintf(name, sizeof name, "`%.*s`", (int)r->in.n, r->in.p);
		for (char *p = name; *p; p++)
			if (*p < 32)
				*p = '~';
		if (!r->out) {
			ok(t, status == HDR5322_SYNTAX, "%s fails", name);
			continue;
		}
		if (!ok(t, status == HDR5322_OK && buf_ok(&w.text), "%s", name))
			continue;
		is(t, span_head(buf_span(&w.text), w.text.n - 1), span_str(r->out), "  written");
		is(t, buf_span(&w.recipients), span_str(r->recipients), "  recipients");
	}
	/* NUL is an ordinary byte here; it is quoted, and callers refuse it in addresses. */
	ok(t, redo(&w, span_of(" a\0b@c.d", 8)) == HDR5322_OK, "NUL: tokens");
	is(t, buf_span(&w.text), span_of("To: \"a\0b\"@c.d\n", 14), "NUL: quoted");
	is(t, buf_span(&w.recipients), span_of("<a\0b@c.d>", 9), "NUL: kept");
	work_free(&w);
}

/* Raw addresses: arguments and envelopes. */
static const struct {
	const char *in, *out;	/* out NULL: syntax error */
} raws[] = {
	{ "", "" },
	{ "joe", "joe@host.example.com" },
	{ "joe@b", "joe@b.example.com" },
	{ "a b,c@x.y", "a b,c@x.y" },
	{ "\"a b\"@x.y", "\"a b\"@x.y" },
	{ "<a@b.c>", "<a@b.c>" },
	{ "a@b@c", "a@b@c.example.com" },
	{ "a(b@x.y", "a(b@x.y" },
	{ "#@[]", "#@[]" },
	{ "list-@h.d-@[]", "list-@h.d-@[]" },
	{ "@x.y", "@x.y" },
	{ "@", "@host.example.com" },
	{ "a@", "a@host.example.com" },
	{ "a@b.", "a@b.example.com" },
	{ "a@b.c.", "a@b.c" },
	{ "a.", "a.@host.example.com" },
	{ "a@b+", "a@b.example.com" },
	{ "a@b(comment)", "a@b.example.com" },
	{ "a@)b", NULL },
	{ "a@[1.2", NULL },
	{ "a@b\"c", NULL },
};

static void
test_raw(struct tap *t)
{
	struct work w;

	work_init(&w);
	for (size_t i = 0; i < sizeof raws / sizeof raws[0]; i++) {
		enum hdr5322_status status = hdr5322_tokenize_raw(span_str(raws[i].in), &w.in);

		if (!raws[i].out) {
			ok(t, status == HDR5322_SYNTAX, "raw %s fails", raws[i].in);
			continue;
		}
		hdr5322_complete(&w.rules, &w.in);
		buf_reset(&w.text);
		hdr5322_envelope(&w.in, &w.text);
		is(t, buf_span(&w.text), span_str(raws[i].out), raws[i].in);
	}
	work_free(&w);
}

/* Two addresses whose line would be `total` bytes: folded above 78. */
static void
test_fold(struct tap *t)
{
	struct work w;

	work_init(&w);
	for (size_t total = 77; total <= 79; total++) {
		struct buf in = { 0 };
		size_t first = 40, second = total - strlen("To: , ") - first;
		bool folded;

		for (size_t i = 0; i < first - strlen("@b.c"); i++)
			buf_addc(&in, 'a');
		buf_adds(&in, "@b.c,");
		for (size_t i = 0; i < second - strlen("@b.c"); i++)
			buf_addc(&in, 'b');
		buf_adds(&in, "@b.c");
		ok(t, redo(&w, buf_span(&in)) == HDR5322_OK, "line of %zu bytes", total);
		folded = span_chr(buf_span(&w.text), '\n') < w.text.n - 1;
		ok(t, folded == (total > HDR5322_LINE_MAX), "line of %zu bytes folded", total);
		is_num(t, (long long)w.text.n, (long long)(total + 1 + (folded ? 2 : 0)), "length");
		buf_free(&in);
	}
	work_free(&w);
}

/* A comma counts to its line: the second of three addresses fits with it or not. */
static void
test_fold_comma(struct tap *t)
{
	struct work w;

	work_init(&w);
	for (size_t total = 77; total <= 79; total++) {
		struct buf in = { 0 };

		buf_adds(&in, "a@b.c,");
		for (size_t i = 0; i < total - strlen("To: a@b.c, @b.c,"); i++)
			buf_addc(&in, 'b');
		buf_adds(&in, "@b.c,d@e.f");
		ok(t, redo(&w, buf_span(&in)) == HDR5322_OK, "comma at %zu", total);
		is_num(t, (long long)span_chr(buf_span(&w.text), '\n'),
		    total > HDR5322_LINE_MAX ? 10 : (long long)total, "first line");
		buf_free(&in);
	}
	/* one address longer than a line; nothing is put on a line that is full already */
	{
		char longest[200];

		memset(longest, 'x', sizeof longest);
		memcpy(longest + sizeof longest - 10, "@b.c, d@e.", 10);
		ok(t, redo(&w, span_of(longest, sizeof longest)) == HDR5322_OK, "long address");
		is_num(t, (long long)span_chr(buf_span(&w.text), '\n'), 4 + 195, "its line");
	}
	work_free(&w);
}

static enum hdr5322_status
count(void *arg, struct hdr5322_tokens *address)
{
	size_t *n = arg;

	(void)address;
	(*n)++;
	return HDR5322_OK;
}

static enum hdr5322_status
refuse(void *arg, struct hdr5322_tokens *address)
{
	(void)arg;
	(void)address;
	return HDR5322_TOOBIG;
}

/* 100,000 addresses; tokens at the limit and over it; a `use` that refuses. */
static void
test_limits(struct tap *t)
{
	struct hdr5322_tokens tokens = { 0 }, out = { 0 };
	struct buf in = BUF_CAP(HDR5322_TOKENS_MAX + 2);
	size_t n = 0;

	for (int i = 0; i < 100000; i++)
		buf_adds(&in, "user@example.com,\n ");
	ok(t, hdr5322_tokenize(buf_span(&in), &tokens) == HDR5322_OK, "100,000 addresses: tokens");
	ok(t, hdr5322_list(&tokens, count, &n, &out) == HDR5322_OK, "100,000 addresses: list");
	is_num(t, (long long)n, 100000, "100,000 addresses: found");
	ok(t, hdr5322_list(&tokens, refuse, NULL, &out) == HDR5322_TOOBIG, "use refuses");
	buf_reset(&in);
	memset(buf_room(&in, HDR5322_TOKENS_MAX + 1), ',', HDR5322_TOKENS_MAX + 1);
	buf_added(&in, HDR5322_TOKENS_MAX + 1);
	ok(t, hdr5322_tokenize(span_head(buf_span(&in), HDR5322_TOKENS_MAX - 1), &tokens) ==
	    HDR5322_OK, "tokens below the limit");
	ok(t, hdr5322_tokenize(span_head(buf_span(&in), HDR5322_TOKENS_MAX), &tokens) ==
	    HDR5322_OK, "tokens at the limit");
	ok(t, hdr5322_tokenize(buf_span(&in), &tokens) == HDR5322_TOOBIG, "tokens over the limit");
	ok(t, hdr5322_tokenize(span_str("a"), &tokens) == HDR5322_OK, "usable again");
	hdr5322_free(&tokens);
	hdr5322_free(&out);
	buf_free(&in);
}

int
main(void)
{
	struct tap t = { 0 };

	test_rows(&t);
	test_raw(&t);
	test_fold(&t);
	test_fold_comma(&t);
	test_limits(&t);
	return done(&t);
}
