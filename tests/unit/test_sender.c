/* sender: From, made from variables that hold anything. */
#include "inject/sender.h"

#include "tap.h"

static const struct {
	const char *user, *host, *name;
	const char *out;		/* NULL: FAULT_LINE */
} rows[] = {
	{ "joe", "x.test", "", "From: joe@x.test\n" },
	{ "joe", "x", "Joe", "From: \"Joe\" <joe@x.d.test>\n" },
	{ "a b", "x.test", "", "From: \"a b\"@x.test\n" },
	{ "joe", "[192.0.2.1]", "", "From: joe@[192.0.2.1]\n" },
	{ "joe", "x.test (here)", "", "From: joe@x.test (here)\n" },
	{ "joe", "a .b", "", "From: joe@a.b\n" },
	{ "joe", "a b", "", NULL },
	{ "joe", ">", "", NULL },
	{ "joe", "x.test, ann@y.test", "", NULL },
	{ "joe", "x.test>, <ann@y.test", "Joe", NULL },
	{ "joe", "g:x;", "", NULL },
	{ "joe", "y@x", "", NULL },
	{ "joe", "[1", "", NULL },
};

static void
load(struct tap *t, struct hdr5322_tokens *to, const char *text)
{
	ok(t, hdr5322_tokenize(span_str(text), to) == HDR5322_OK, "rule %s", text);
}

int
main(void)
{
	struct tap t = { 0 };
	struct rewrite w = { .local_time = false };

	load(&t, &w.rules.default_host, "@h.test");
	load(&t, &w.rules.default_domain, ".d.test");
	load(&t, &w.rules.plus_domain, ".p.test");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request q = { .host = { .set = true } };
		struct buf field = { 0 }, detail = { 0 };
		enum fault f;

		buf_adds(&q.user.text, rows[i].user);
		buf_adds(&q.host.text, rows[i].host);
		buf_adds(&q.name.text, rows[i].name);
		f = sender_write_from(&q, &w, "From", &field, &detail);
		if (!rows[i].out)
			ok(&t, f == FAULT_LINE && !field.n, "host `%s` is refused", rows[i].host);
		else if (ok(&t, f == FAULT_NONE, "%s at %s", rows[i].user, rows[i].host))
			is(&t, buf_span(&field), span_str(rows[i].out), "  From");
		buf_free(&field);
		buf_free(&detail);
		request_free(&q);
	}
	rewrite_free(&w);
	return done(&t);
}
