/* SPF: macros one by one (RFC 7208, 7); in records they are in spf.cases. */
#include "spf/macro.h"

#include "tap.h"

static struct span
one_name(void *arg, struct span domain)
{
	(void)domain;
	return span_str(arg);
}

static const struct {
	const char *text;
	enum spf_macro_use use;
	const char *expanded;	/* NULL: malformed */
} rows[] = {
	/* RFC 7208, 7.4 */
	{ "%{s}", SPF_MACRO_DOMAIN, "strong-bad@email.example.com" },
	{ "%{o}", SPF_MACRO_DOMAIN, "email.example.com" },
	{ "%{d}", SPF_MACRO_DOMAIN, "email.example.com" },
	{ "%{d4}", SPF_MACRO_DOMAIN, "email.example.com" },
	{ "%{d3}", SPF_MACRO_DOMAIN, "email.example.com" },
	{ "%{d2}", SPF_MACRO_DOMAIN, "example.com" },
	{ "%{d1}", SPF_MACRO_DOMAIN, "com" },
	{ "%{dr}", SPF_MACRO_DOMAIN, "com.example.email" },
	{ "%{d2r}", SPF_MACRO_DOMAIN, "example.email" },
	{ "%{l}", SPF_MACRO_DOMAIN, "strong-bad" },
	{ "%{l-}", SPF_MACRO_DOMAIN, "strong.bad" },
	{ "%{lr}", SPF_MACRO_DOMAIN, "strong-bad" },
	{ "%{lr-}", SPF_MACRO_DOMAIN, "bad.strong" },
	{ "%{l1r-}", SPF_MACRO_DOMAIN, "strong" },
	{ "%{ir}.%{v}._spf.%{d2}", SPF_MACRO_DOMAIN, "3.2.0.192.in-addr._spf.example.com" },
	{ "%{lr-}.lp._spf.%{d2}", SPF_MACRO_DOMAIN, "bad.strong.lp._spf.example.com" },
	{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", SPF_MACRO_DOMAIN,
	    "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
	{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", SPF_MACRO_DOMAIN,
	    "3.2.0.192.in-addr.strong.lp._spf.example.com" },
	{ "%{d2}.trusted-domains.example.net", SPF_MACRO_DOMAIN,
	    "example.com.trusted-domains.example.net" },
	/* what is left */
	{ "%{d99999999999999999999999}", SPF_MACRO_DOMAIN, "email.example.com" },
	{ "%{D1R}", SPF_MACRO_DOMAIN, "email" },
	{ "%{d01}", SPF_MACRO_DOMAIN, "com" },
	{ "%{l.-+,/_=}", SPF_MACRO_DOMAIN, "strong.bad" },
	{ "%{p}", SPF_MACRO_DOMAIN, "mx.example.org" },
	{ "%{h}", SPF_MACRO_DOMAIN, "helo.ex" },
	{ "%{S}", SPF_MACRO_DOMAIN, "strong-bad%40email.example.com" },
	{ "%{L-}", SPF_MACRO_DOMAIN, "strong.bad" },
	{ "%%", SPF_MACRO_DOMAIN, "%" },
	{ "%_", SPF_MACRO_DOMAIN, " " },
	{ "%-", SPF_MACRO_DOMAIN, "%20" },
	{ "", SPF_MACRO_DOMAIN, "" },
	{ "!$&~|{}", SPF_MACRO_DOMAIN, "!$&~|{}" },
	{ "a b", SPF_MACRO_DOMAIN, NULL },
	{ "a b", SPF_MACRO_EXPLAIN, "a b" },
	{ "%{c}", SPF_MACRO_DOMAIN, NULL },
	{ "%{r}", SPF_MACRO_DOMAIN, NULL },
	{ "%{t}", SPF_MACRO_DOMAIN, NULL },
	{ "%{c} %{r} %{t}", SPF_MACRO_EXPLAIN, "192.0.2.3 here.ex 17" },
	{ "%{xR}", SPF_MACRO_EXPLAIN, NULL },
	{ "%{xR}, %{xS}, %{xE}", SPF_MACRO_OWN, "here.ex, the source, the error" },
	{ "%{xT}", SPF_MACRO_OWN, NULL },
	{ "%{x}", SPF_MACRO_OWN, NULL },
	{ "%{x", SPF_MACRO_OWN, NULL },
	{ "%{c}\t", SPF_MACRO_OWN, NULL },
	{ "\x7f", SPF_MACRO_OWN, NULL },
	{ "\xc3\xa9", SPF_MACRO_OWN, NULL },
	{ "%", SPF_MACRO_DOMAIN, NULL },
	{ "%a", SPF_MACRO_DOMAIN, NULL },
	{ "%{", SPF_MACRO_DOMAIN, NULL },
	{ "%{}", SPF_MACRO_DOMAIN, NULL },
	{ "%{d", SPF_MACRO_DOMAIN, NULL },
	{ "%{d2", SPF_MACRO_DOMAIN, NULL },
	{ "%{dd}", SPF_MACRO_DOMAIN, NULL },
	{ "%{d0}", SPF_MACRO_DOMAIN, NULL },
	{ "%{d00}", SPF_MACRO_DOMAIN, NULL },
	{ "%{dr2}", SPF_MACRO_DOMAIN, NULL },
	{ "%{d.r}", SPF_MACRO_DOMAIN, NULL },
	{ "%{d:}", SPF_MACRO_DOMAIN, NULL },
	{ "%{ d}", SPF_MACRO_DOMAIN, NULL },
	{ "%{q}", SPF_MACRO_EXPLAIN, NULL },
};

static const struct {
	const char *text;
	bool valid;
} domains[] = {
	{ "a.ex", true }, { "a.ex.", true }, { ".ex", true }, { "a.e-x", true }, { "a.x1", true },
	{ "_a._b.ex", true }, { "%{d}", true }, { "a.%{d}", true }, { "%{d}.ex", true },
	{ "%%", true }, { "a:b/c.ex", true }, { "%{d}%_", true },
	{ "", false }, { "ex", false }, { "ex.", false }, { "a.12", false }, { "a.-x", false },
	{ "a.x-", false }, { "a.e_x", false }, { "a..", false }, { "%{d}ex", false },
	{ "%{d}.12", false }, { "a.%{q}", false }, { ".", false },
};

/* A name of 4 * 63 + 3 = 255 bytes is made shorter from the left, label by label. */
static void
test_long_names(struct tap *t)
{
	char label[64] = "", local[300] = "";
	struct spf_names names = { .domain = span_str("ex") };
	struct buf to = { 0 };

	memset(label, 'x', 63);
	(void)snprintf(local, sizeof local, "%s.%s.%s.%.57s", label, label, label, label);
	names.local = span_str(local);
	spf_macro_expand_domain(span_str("%{l}.%{d}"), &names, &to);
	is_num(t, (long long)to.n, 252, "252 bytes stay");
	(void)snprintf(local, sizeof local, "%s.%s.%s.%.58s", label, label, label, label);
	names.local = span_str(local);
	spf_macro_expand_domain(span_str("%{l}.%{d}"), &names, &to);
	is_num(t, (long long)to.n, 253, "253 bytes stay");
	(void)snprintf(local, sizeof local, "%s.%s.%s.%.59s", label, label, label, label);
	names.local = span_str(local);
	spf_macro_expand_domain(span_str("%{l}.%{d}"), &names, &to);
	is_num(t, (long long)to.n, 254 - 64, "254 bytes lose a label");
	memset(local, 'y', sizeof local - 1);
	names.local = span_str(local);
	spf_macro_expand_domain(span_str("%{l}"), &names, &to);
	is_num(t, (long long)to.n, 0, "one long label leaves nothing");
	buf_free(&to);
}

static void
test_alone(struct tap *t)
{
	char validated[] = "mx.example.org";
	struct spf_names names = {
		.local = span_str("strong-bad"), .sender_domain = span_str("email.example.com"),
		.domain = span_str("email.example.com"), .helo = span_str("helo.ex"),
		.receiver = span_str("here.ex"), .source = span_str("the source"),
		.error = span_str("the error"), .now = 17, .validated = one_name, .arg = validated
	};
	struct buf to = { 0 };

	ok(t, ip_parse(span_str("192.0.2.3"), &names.ip), "parse");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool valid = spf_macro_valid(span_str(rows[i].text), rows[i].use);

		ok(t, valid == (rows[i].expanded != NULL), "`%s` is %svalid", rows[i].text,
		    valid ? "" : "not ");
		buf_reset(&to);
		if (valid)
			spf_macro_expand(span_str(rows[i].text), rows[i].use, &names, &to);
		if (rows[i].expanded)
			is(t, buf_span(&to), span_str(rows[i].expanded), rows[i].text);
	}
	ok(t, ip_parse(span_str("2001:db8::cb01"), &names.ip), "parse");
	buf_reset(&to);
	spf_macro_expand(span_str("%{ir}.%{v}"), SPF_MACRO_DOMAIN, &names, &to);
	is(t, buf_span(&to), span_str("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1."
	    "0.0.2.ip6"), "IPv6");
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		ok(t, spf_macro_domain_valid(span_str(domains[i].text)) == domains[i].valid,
		    "domain-spec `%s` is %s", domains[i].text, domains[i].valid ? "valid" : "not");
	buf_free(&to);
}

int
main(void)
{
	struct tap t = { 0 };

	test_alone(&t);
	test_long_names(&t);
	return done(&t);
}
