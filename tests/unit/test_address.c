/* address: what callers write as sender and recipient. */
#include "inject/address.h"

#include "tap.h"

static const struct row {
	const char *in, *out;	/* out NULL: FAULT_ADDRESS */
} senders[] = {
	{ "", "" },
	{ "<>", "" },
	{ " <> ", "" },
	{ "Mailer <>", "" },
	{ "joe", "joe" },
	{ "joe@b", "joe@b" },
	{ "<joe@b>", "joe@b" },
	{ " <joe@b>\t", "joe@b" },
	{ "Joe User <joe@b>", "joe@b" },
	{ "\"User, Joe\" <joe@b>", "joe@b" },
	{ "Joe (x) <@r:joe@b>", "joe@b" },
	{ "<\"a b\"@c.d>", "a b@c.d" },
	{ "<\"a@b\">", "a@b@" },
	{ "<\"a@b\"@c.d>", "a@b@c.d" },
	{ "\"a b\"@c.d", "a b@c.d" },
	{ "\"a\\\"b\"@c.d", "a\"b@c.d" },
	{ "\"a\"b@c.d", "\"a\"b@c.d" },
	{ "\"a\"\"b\"@c.d", "\"a\"\"b\"@c.d" },
	{ "\"a b\"", "\"a b\"" },
	{ "a b@c.d", "a b@c.d" },
	{ "a,b@c.d", "a,b@c.d" },
	{ "a(b@c.d", "a(b@c.d" },
	{ "#@[]", "#@[]" },
	{ "<#@[]>", "#@[]" },
	{ "list-@h.d-@[]", "list-@h.d-@[]" },
	{ "a@)b", "a@)b" },
	{ "\"a b\"@[1.2.3.4]", "a b@[1.2.3.4]" },
	{ "a@b, <c@d>", NULL },
	{ "<a@b> <c@d>", NULL },
	{ "<a@b> (x) <>", NULL },
	{ "\"x <a@b>", NULL },
	{ "<a@\"b c\">", NULL },
	{ "a@b>", "a@b>" },
	{ "a\nb@c", NULL },
	{ "a\rb@c", NULL },
	{ "<a@b>\n", NULL },
};

static const struct row recipients[] = {
	{ "", "" },
	{ "joe", "joe" },
	{ "<>", "" },
	{ "<a@b.c>", "a@b.c" },
	{ "<@r:a@b.c>", "a@b.c" },
	{ "\"a b\"@c.d", "a b@c.d" },
	{ "a b,c@x.y", "a b,c@x.y" },
	{ "Joe <a@b.c>", "Joe <a@b.c>" },
	{ "-odd@x", "-odd@x" },
	{ "<a@b.c", "<a@b.c" },
	{ "<a@b\"c>", NULL },
	{ "a\nb@c", NULL },
};

/* out: the addresses, each with a comma behind it */
static const struct row lists[] = {
	{ "joe", "joe," },
	{ "a b@c", "a b@c," },
	{ "a@b,c@d", "a@b,c@d," },
	{ "a@b, c@d , e@f", "a@b,c@d,e@f," },
	{ "a b,c@x.y", "a,b,c@x.y," },
	{ "Joe <a@b>", "a@b," },
	{ "\"User, Joe\" <a@b>, Ann <c@d>", "a@b,c@d," },
	{ "<a@b>", "a@b," },
	{ "joe (Joe User)", "joe," },
	{ "(x)joe@b", "joe@b," },
	{ "g: a@b, c@d;", "a@b,c@d," },
	{ "\"a b\"@c", "a b@c," },
	{ "\"a,b\"@c", "a,b@c," },
	{ "\"a@b\"", "a@b@," },
	{ "a@b,", "a@b," },
	{ "<@r:a@b.>", "a@b," },
	{ "a@b;c@d", "a@b;c@d," },
	{ "", NULL },
	{ "<>", NULL },
	{ "\"\"", NULL },
	{ "a@b, \"\"", NULL },
	{ "a@b, <>", NULL },
	{ ",", NULL },
	{ "()", NULL },
	{ "<a@b", "<a@b," },
	{ "a@b>,", NULL },
	{ "\"a", NULL },
	{ "(a", NULL },
	{ "a@\"x y\"", NULL },
	{ "a\nb@c", NULL },
};

typedef enum fault parse(struct span in, struct buf *raw);

static void
test_single(struct tap *t, const char *what, parse *f, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf raw = { 0 };
		enum fault fault = f(span_str(rows[i].in), &raw);

		if (!rows[i].out)
			ok(t, fault == FAULT_ADDRESS, "%s %zu is refused", what, i);
		else if (ok(t, fault == FAULT_NONE, "%s %zu: `%s`", what, i, rows[i].in))
			is(t, buf_span(&raw), span_str(rows[i].out), "  raw");
		buf_free(&raw);
	}
}

static void
test_lists(struct tap *t)
{
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct recips to = RECIPS_EMPTY;
		enum fault fault = address_recipients(span_str(lists[i].in), &to);

		if (!lists[i].out) {
			ok(t, fault == FAULT_ADDRESS, "list %zu is refused", i);
		} else if (ok(t, fault == FAULT_NONE, "list `%s`", lists[i].in)) {
			for (size_t k = 0; k < to.text.n; k++)
				if (!to.text.p[k])
					to.text.p[k] = ',';
			is(t, buf_span(&to.text), span_str(lists[i].out), "  raw");
		}
		recips_free(&to);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_single(&t, "sender", address_sender, senders, sizeof senders / sizeof senders[0]);
	test_single(&t, "recipient", address_recipient, recipients,
	    sizeof recipients / sizeof recipients[0]);
	test_lists(&t);
	return done(&t);
}
