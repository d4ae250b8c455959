/* SPF: modifiers, explanations and macros (RFC 7208, 6 and 7), by whole checks and one by one. */
#include "spf/macro.h"

#include "spfzone.h"

#define DEFAULT(sender, ip) "SPF fail - not authorized: sender=" sender " ip=" ip

static void
test_modifiers(struct tap *t)
{
	static const char zone[] =
	    "e1.ex TXT v=spf1 exp=exp1.ex redirect=e2.ex\n"
	    "e2.ex TXT v=spf1 -all\n"
	    "e3.ex TXT v=spf1 exp=exp1.ex redirect=e4.ex\n"
	    "e4.ex TXT v=spf1 -all exp=exp2.ex\n"
	    "e5.ex TXT v=spf1 1up=foo\n"
	    "e6.ex TXT v=spf1 =all\n"
	    "e7.ex TXT v=spf1 include:e8.ex -all exp=exp1.ex\n"
	    "e8.ex TXT v=spf1 -all exp=exp2.ex\n"
	    "e9.ex TXT v=spf1 exp= -all\n"
	    "e10.ex TXT v=spf1 exp=exp4.ex -all\n"
	    "e11.ex TXT v=spf1 a:e11.ex exp=e11msg.ex -all\n"
	    "e11.ex A 9.9.9.9\n"
	    "e11msg.ex TXT Answer a to life.\n"
	    "e11msg.ex TXT Answer b.\n"
	    "e12.ex TXT v=spf1 exp= -all\n"
	    "e13.ex TXT v=spf1 exp=e13msg.ex -all\n"
	    "e13msg.ex TXT The %{x}-files.\n"
	    "e14.ex TXT v=spf1 exp=e13msg.ex -all exp=e11msg.ex\n"
	    "e15.ex TXT v=spf1 redirect=e12.ex -all redirect=e12.ex\n"
	    "e16.ex TXT v=spf1 exp=-all\n"
	    "e17.ex TXT v=spf1 redirect= ?all\n"
	    "e18.ex TXT v=spf1 default=pass\n"
	    "e19.ex TXT v=spf1 default=+\n"
	    "e20.ex TXT v=spf1 foo=%abc\n"
	    "e21.ex TXT v=spf1 foo=%{c}%{r}%{t} -all\n"
	    "e22.ex TXT v=spf1 redirect=nowhere.ex\n"
	    "e23.ex TXT v=spf1 redirect=silent.ex\n"
	    "silent.ex TXT !\n"
	    "e24.ex TXT v=spf1 exp=silent.ex -all\n"
	    "e25.ex TXT v=spf1 exp=nowhere.ex -all\n"
	    "e26.ex TXT v=spf1 exp=nonascii.ex -all\n"
	    "nonascii.ex TXT \xef\xbb\xbf" "Explanation\n"
	    "e27.ex TXT v=spf1 exp=no..name.ex -all\n"
	    "e28.ex TXT v=spf1 redirect=%{l}.ex\n"
	    "e29.ex TXT v=spf1 redirect=e2.ex exp=exp1.ex ?all\n"
	    "e30.ex TXT v=spf1 EXP=exp1.ex -ALL\n"
	    "exp1.ex TXT No-see-um\n"
	    "exp2.ex TXT See me.\n"
	    "exp4.ex TXT Never %%7d.\n";
	static const struct spf_case rows[] = {
		{ "redirect cancels exp", "h", "1.2.3.4", "a@e1.ex", "fail",
		    DEFAULT("a%40e1.ex", "1.2.3.4") },
		{ "redirect to another exp", "h", "1.2.3.4", "a@e3.ex", "fail", "See me." },
		{ "digit in front", "h", "1.2.3.4", "a@e5.ex", "permerror", NULL },
		{ "no name", "h", "1.2.3.4", "a@e6.ex", "permerror", NULL },
		{ "exp of include is not for us", "h", "1.2.3.4", "a@e7.ex", "fail", "No-see-um" },
		{ "exp=", "h", "1.2.3.4", "a@e9.ex", "permerror", NULL },
		{ "percent", "h", "1.2.3.4", "a@e10.ex", "fail", "Never %7d." },
		{ "two explanations", "h", "1.2.3.4", "a@e11.ex", "fail",
		    DEFAULT("a%40e11.ex", "1.2.3.4") },
		{ "exp= in front", "h", "1.2.3.4", "a@e12.ex", "permerror", NULL },
		{ "explanation malformed", "h", "1.2.3.4", "a@e13.ex", "fail",
		    DEFAULT("a%40e13.ex", "1.2.3.4") },
		{ "exp twice", "h", "1.2.3.4", "a@e14.ex", "permerror", NULL },
		{ "redirect twice", "h", "1.2.3.4", "a@e15.ex", "permerror", NULL },
		{ "exp without top level", "h", "1.2.3.4", "a@e16.ex", "permerror", NULL },
		{ "redirect=", "h", "1.2.3.4", "a@e17.ex", "permerror", NULL },
		{ "default=", "h", "1.2.3.4", "a@e18.ex", "neutral", NULL },
		{ "default=+", "h", "1.2.3.4", "a@e19.ex", "neutral", NULL },
		{ "unknown, malformed", "h", "1.2.3.4", "a@e20.ex", "permerror", NULL },
		{ "unknown, any macro", "h", "1.2.3.4", "a@e21.ex", "fail", NULL },
		{ "redirect to none", "h", "1.2.3.4", "a@e22.ex", "permerror", NULL },
		{ "redirect to silence", "h", "1.2.3.4", "a@e23.ex", "temperror", NULL },
		{ "exp without answer", "h", "1.2.3.4", "a@e24.ex", "fail",
		    DEFAULT("a%40e24.ex", "1.2.3.4") },
		{ "exp without text", "h", "1.2.3.4", "a@e25.ex", "fail",
		    DEFAULT("a%40e25.ex", "1.2.3.4") },
		{ "exp above ASCII", "h", "1.2.3.4", "a@e26.ex", "fail",
		    DEFAULT("a%40e26.ex", "1.2.3.4") },
		{ "exp of no name", "h", "1.2.3.4", "a@e27.ex", "fail",
		    DEFAULT("a%40e27.ex", "1.2.3.4") },
		{ "redirect by macro", "h", "1.2.3.4", "e2@e28.ex", "fail", NULL },
		{ "redirect to no name", "h", "1.2.3.4", "x..y@e28.ex", "permerror", NULL },
		{ "all wins over redirect", "h", "1.2.3.4", "a@e29.ex", "neutral", NULL },
		{ "case", "h", "1.2.3.4", "a@e30.ex", "fail", "No-see-um" },
	};

	ZONE_RUN(t, zone, rows);
}

static void
test_in_records(struct tap *t)
{
	static const char zone[] =
	    "m1.ex TXT v=spf1 exists:%{i}.%{l2r-}.user.%{d2} -all\n"
	    "1.2.3.4.gladstone.philip.user.m1.ex A 127.0.0.2\n"
	    "m2.ex TXT v=spf1 exists:%{l2r+-}.user.%{d2} -all\n"
	    "bar.foo.user.m2.ex A 127.0.0.2\n"
	    "m3.ex TXT v=spf1 -exists:%(ir).sbl.ex ?all\n"
	    "m4.ex TXT v=spf1 exp=m4msg.ex. -all\n"
	    "m4msg.ex TXT This is a test.\n"
	    "m5.ex TXT v=spf1 exists:%{i}.m5.ex. -all\n"
	    "1.2.3.4.m5.ex A 127.0.0.2\n"
	    "m6.ex TXT v=spf1 -exists:%{ir}.%{v}._spf.%{d} ?all\n"
	    "4.3.2.1.in-addr._spf.m6.ex A 127.0.0.2\n"
	    "b.e.b.a.b.e.b.a.b.e.b.a.b.e.b.a.0.0.0.0.0.0.0.0.e.f.a.c.e.f.a.c.ip6._spf.m6.ex "
	    "A 127.0.0.2\n"
	    "m7.ex TXT v=spf1 a:%{c}.ex -all\n"
	    "m8.ex TXT v=spf1 exp=m8msg.ex -all\n"
	    "m8msg.ex TXT connect from %{p} %{c} at %{r}, %{t}\n"
	    "m9.ex TXT v=spf1 exp=m9msg.ex -all\n"
	    "m9msg.ex TXT http://a.ex/%{S}?ip=%{I}&l=%{L}\n"
	    "m10.ex TXT v=spf1 exists:%{h} -all\n"
	    "mail.helo.ex A 127.0.0.2\n"
	    "m11.ex TXT v=spf1 a:%{a}.%{b} -all\n"
	    "m12.ex TXT v=spf1 exists:%{d0}.ex -all\n"
	    "m13.ex TXT v=spf1 exists:%{i}.%{d}. -all\n"
	    "m14.ex TXT v=spf1 exists:%{p}.%{d} -all\n"
	    "h.m14.ex.m14.ex A 127.0.0.2\n"
	    "unknown.m14.ex A 127.0.0.3\n"
	    "1.2.3.40 PTR other.ex\n"
	    "1.2.3.40 PTR h.m14.ex\n"
	    "other.ex A 1.2.3.40\n"
	    "h.m14.ex A 1.2.3.40\n"
	    "1.2.3.41 PTR other.ex\n"
	    "cafe:cafe::1 PTR h.m14.ex\n"
	    "h.m14.ex AAAA cafe:cafe::1\n";
	static const struct spf_case rows[] = {
		{ "reversed at -", "h", "1.2.3.4", "philip-gladstone-test@m1.ex", "pass", NULL },
		{ "more delimiters", "h", "1.2.3.4", "foo-bar+zip+quux@m2.ex", "pass", NULL },
		{ "no braces", "h", "1.2.3.4", "a@m3.ex", "permerror", NULL },
		{ "dot at the end of exp", "h", "1.2.3.4", "a@m4.ex", "fail", "This is a test." },
		{ "dot at the end of a name", "h", "1.2.3.4", "a@m5.ex", "pass", NULL },
		{ "v, IPv4", "h", "1.2.3.4", "a@m6.ex", "fail", NULL },
		{ "v, IPv6", "h", "cafe:cafe::abab:abab:abab:abab", "a@m6.ex", "neutral", NULL },
		{ "c in a name", "h", "1.2.3.4", "a@m7.ex", "permerror", NULL },
		{ "c, p, r, t in a text", "h", "1.2.3.4", "a@m8.ex", "fail",
		    "connect from unknown 1.2.3.4 at here.ex, 1700000000" },
		{ "c, IPv6", "h", "CAFE:BABE::1", "a@m8.ex", "fail",
		    "connect from unknown cafe:babe::1 at here.ex, 1700000000" },
		{ "upper case", "h", "1.2.3.4", "~jack&jill=up-a_b3.c@m9.ex", "fail",
		    "http://a.ex/~jack%26jill%3Dup-a_b3.c%40m9.ex?ip=1.2.3.4&l=~jack%26jill"
		    "%3Dup-a_b3.c" },
		{ "h", "mail.helo.ex", "1.2.3.4", "a@m10.ex", "pass", NULL },
		{ "h that is no name", "JUMPIN' JUPITER", "1.2.3.4", "a@m10.ex", "fail", NULL },
		{ "letters nobody knows", "h", "1.2.3.4", "a@m11.ex", "permerror", NULL },
		{ "no part at all", "h", "1.2.3.4", "a@m12.ex", "permerror", NULL },
		{ "dot behind a macro", "h", "1.2.3.4", "a@m13.ex", "permerror", NULL },
		{ "p", "h", "1.2.3.40", "a@m14.ex", "pass", NULL },
		{ "p that does not lead back", "h", "1.2.3.41", "a@m14.ex", "pass", NULL },
		{ "p, IPv6", "h", "cafe:cafe::1", "a@m14.ex", "pass", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

/* ---- one by one ---- */

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

	test_modifiers(&t);
	test_in_records(&t);
	test_alone(&t);
	test_long_names(&t);
	return done(&t);
}
