/* SPF: what surrounds the evaluation: the administrator's policy, time, and what is said of the
 * result. */
#include "spf/check.h"

#include "spfzone.h"

static const char zone[] =
    "a.ex TXT v=spf1 ip4:192.0.2.1 -all\n"
    "soft.ex TXT v=spf1 ip4:192.0.2.1 ~all\n"
    "open.ex TXT v=spf1 ip4:192.0.2.1\n"
    "redir.ex TXT v=spf1 ip4:192.0.2.1 redirect=a.ex\n"
    "plus.ex TXT v=spf1 ip4:192.0.2.1 +all\n"
    "two.ex TXT v=spf1 ip4:192.0.2.1 ~all -all\n"
    "bad.ex TXT v=spf1 foo:bar -all\n"
    "parse.ex TXT v=spf1 ip4:1 -all\n"
    "lost.ex TXT v=spf1 include:nowhere.ex -all\n"
    "loop.ex TXT v=spf1 redirect=loop.ex\n"
    "void.ex TXT v=spf1 a:n1.ex a:n2.ex a:n3.ex -all\n"
    "multi.ex TXT v=spf1 -all\n"
    "multi.ex TXT v=spf1 +all\n"
    "silent.ex TXT !\n"
    "lists.ex A 127.0.0.1\n"
    "mail.ex TXT v=spf1 ip4:192.0.2.9 -all\n"
    "nohelo.ex TXT v=spf1 ip4:192.0.2.9 ~all\n"
    "host.ex A 192.0.2.1\n"
    "host.ex A 192.0.2.2\n"
    "eleven.ex TXT v=spf1 a:host.ex a:host.ex a:host.ex a:host.ex a:host.ex a:host.ex a:host.ex "
    "a:host.ex a:host.ex a:host.ex -all\n"
    "exp.ex TXT v=spf1 exp=why.ex -all\n"
    "why.ex TXT because %{i} is not %{d}\n";

static void
check(const struct spf_request *request, struct spf_answer *answer)
{
	struct zone z = { .lines = zone };
	struct spf_resolver resolver = zone_resolver(&z);

	spf_check(request, &resolver, answer);
}

static struct spf_request
request_of(const char *ip, const char *helo, const char *sender)
{
	struct spf_request r = { .helo = span_str(helo), .sender = span_str(sender),
		.receiver = span_str("here.ex"), .now = 1700000000 };

	(void)!ip_parse(span_str(ip), &r.ip);
	return r;
}

/* ---- policy ---- */

static const struct {
	const char *what, *ip, *sender;
	struct { const char *rules, *guess; } policy;
	enum spf_result result;
	bool local;		/* the text says so */
} policies[] = {
	{ "rules do not matter for a match", "192.0.2.1", "u@a.ex", { "ip4:192.0.2.5", "" },
	    SPF_PASS, false },
	{ "rules before -all", "192.0.2.5", "u@a.ex", { "ip4:192.0.2.5", "" }, SPF_PASS, true },
	{ "rules that do not match", "192.0.2.6", "u@a.ex", { "ip4:192.0.2.5", "" }, SPF_FAIL,
	    false },
	{ "rules before ~all", "192.0.2.5", "u@soft.ex", { "ip4:192.0.2.5", "" }, SPF_PASS, true },
	{ "rules before both", "192.0.2.5", "u@two.ex", { "ip4:192.0.2.5", "" }, SPF_PASS, true },
	{ "rules after +all", "192.0.2.5", "u@plus.ex", { "-ip4:192.0.2.5", "" }, SPF_PASS, false },
	{ "rules at the end", "192.0.2.5", "u@open.ex", { "ip4:192.0.2.5", "" }, SPF_PASS, true },
	{ "rules before redirect", "192.0.2.5", "u@redir.ex", { "ip4:192.0.2.5", "" }, SPF_PASS,
	    true },
	{ "rules not in the target", "192.0.2.6", "u@redir.ex", { "ip4:192.0.2.5", "" }, SPF_FAIL,
	    false },
	{ "rules alone", "192.0.2.5", "u@nowhere.ex", { "ip4:192.0.2.5", "" }, SPF_PASS, true },
	{ "rules alone, no match", "192.0.2.6", "u@nowhere.ex", { "ip4:192.0.2.5", "" }, SPF_NONE,
	    false },
	{ "guess", "192.0.2.5", "u@nowhere.ex", { "", "ip4:192.0.2.5 -all" }, SPF_PASS, true },
	{ "guess fails", "192.0.2.6", "u@nowhere.ex", { "", "ip4:192.0.2.5 -all" }, SPF_FAIL,
	    true },
	{ "guess without match", "192.0.2.6", "u@nowhere.ex", { "", "ip4:192.0.2.5" },
	    SPF_NEUTRAL, true },
	{ "guess is not for those with a record", "192.0.2.5", "u@a.ex", { "", "ip4:192.0.2.5" },
	    SPF_FAIL, false },
	{ "guess and rules", "192.0.2.7", "u@nowhere.ex", { "ip4:192.0.2.7", "a -all" },
	    SPF_PASS, true },
	{ "error in the guess", "192.0.2.7", "u@nowhere.ex", { "", "include:silent.ex -all" },
	    SPF_NONE, false },
	{ "guess on no domain", "192.0.2.7", "u@one", { "", "-all" }, SPF_FAIL, true },
	{ "rules have their own budget", "192.0.2.5", "u@eleven.ex", { "exists:lists.ex", "" },
	    SPF_PASS, true },
	{ "rules with an error", "192.0.2.5", "u@a.ex", { "include:silent.ex", "" },
	    SPF_TEMPERROR, false },
};

static void
test_policies(struct tap *t)
{
	struct spf_answer answer = { 0 };

	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		struct spf_request r = request_of(policies[i].ip, "h", policies[i].sender);

		r.policy.rules = span_str(policies[i].policy.rules);
		r.policy.guess = span_str(policies[i].policy.guess);
		check(&r, &answer);
		is(t, span_str(spf_result_word(answer.result)),
		    span_str(spf_result_word(policies[i].result)), policies[i].what);
		ok(t, (strstr(buf_str(&answer.text), "local policy") != NULL) ==
		    policies[i].local, "%s: whose policy", policies[i].what);
	}
	spf_answer_free(&answer);
}

static const struct {
	const char *rules, *guess, *explain;
	const char *bad;	/* NULL: nothing */
} policy_checks[] = {
	{ "", "", "", NULL },
	{ "include:a.ex ip4:192.0.2.0/24", "a/24 mx/24 ptr ~all", "see %{S} %{xR} %{xS}", NULL },
	{ "ip4:1", "", "", "rules" },
	{ "foo:bar", "", "", "rules" },
	{ "redirect=a.ex", "", "", "rules" },
	{ "", "exp=a.ex -all", "", "guess" },
	{ "", "a:b -all", "", "guess" },
	{ "", "", "100%", "explain" },
	{ "", "", "%{y}", "explain" },
	{ "", "", "caf\xc3\xa9", "explain" },
};

static void
test_policy_checks(struct tap *t)
{
	for (size_t i = 0; i < sizeof policy_checks / sizeof *policy_checks; i++) {
		struct spf_policy p = { .rules = span_str(policy_checks[i].rules),
			.guess = span_str(policy_checks[i].guess),
			.explain = span_str(policy_checks[i].explain) };

		is(t, span_str(spf_policy_check(&p)), span_str(policy_checks[i].bad),
		    policy_checks[i].bad ? policy_checks[i].bad : "a good policy");
	}
}

/* ---- texts ---- */

#define FOR(sender) " client-ip=192.0.2.7; envelope-from=\"" sender "\";"

static const struct {
	const char *helo, *sender;
	const char *text;
} texts[] = {
	{ "h", "u@plus.ex", "pass (here.ex: SPF record at plus.ex designates 192.0.2.7 as permitted"
	    " sender)" FOR("u@plus.ex") },
	{ "h", "u@soft.ex", "softfail (here.ex: transitioning SPF record at soft.ex does not "
	    "designate 192.0.2.7 as permitted sender)" FOR("u@soft.ex") },
	{ "h", "u@a.ex", "fail (here.ex: SPF record at a.ex does not designate 192.0.2.7 as "
	    "permitted sender)" FOR("u@a.ex") },
	{ "h", "u@open.ex", "neutral (here.ex: 192.0.2.7 is neither permitted nor denied by SPF "
	    "record at open.ex)" FOR("u@open.ex") },
	{ "h", "u@nowhere.ex", "none (here.ex: domain at nowhere.ex does not designate permitted "
	    "sender hosts)" FOR("u@nowhere.ex") },
	{ "h", "u@lost.ex", "permerror (here.ex: domain at lost.ex does not designate permitted "
	    "sender hosts)" FOR("u@lost.ex") },
	{ "h", "u@bad.ex", "permerror foo (here.ex: SPF record at bad.ex uses mechanism not "
	    "recognized by this client)" FOR("u@bad.ex") },
	{ "h", "u@parse.ex", "permerror (here.ex: parse error in SPF record at parse.ex)"
	    FOR("u@parse.ex") },
	{ "h", "u@multi.ex", "permerror (here.ex: Multiple SPF records returned)"
	    FOR("u@multi.ex") },
	{ "h", "u@loop.ex", "permerror (here.ex: Maximum nesting level exceeded, possible loop)"
	    FOR("u@loop.ex") },
	{ "h", "u@void.ex", "permerror (here.ex: Too many DNS lookups without result)"
	    FOR("u@void.ex") },
	{ "h", "u@silent.ex", "temperror (here.ex: error in processing during lookup of silent.ex: "
	    "DNS problem)" FOR("u@silent.ex") },
	{ "mail.ex", "", "fail (here.ex: SPF record at mail.ex does not designate 192.0.2.7 as "
	    "permitted sender) client-ip=192.0.2.7; helo=mail.ex;" },
	{ "mail.ex", "u@open.ex", "fail (here.ex: SPF record at mail.ex does not designate "
	    "192.0.2.7 as permitted sender) client-ip=192.0.2.7; helo=mail.ex;" },
	{ "no name", "", "none (here.ex: domain at no name does not designate permitted sender "
	    "hosts) client-ip=192.0.2.7; helo=\"no name\";" },
	{ "h", "a\"b\\c@x(y)\\\xe9\t.ex", "none (here.ex: domain at x?y????.ex does not designate "
	    "permitted sender hosts)" FOR("a\\\"b\\\\c@x(y)\\\\??.ex") },
};

static void
test_texts(struct tap *t)
{
	struct spf_answer answer = { 0 };
	struct spf_request r;
	char long_text[2000];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		r = request_of("192.0.2.7", texts[i].helo, texts[i].sender);
		check(&r, &answer);
		is(t, buf_span(&answer.text), span_str(texts[i].text), texts[i].sender);
	}
	r = request_of("2001:db8::1", "h", "u@plus.ex");
	check(&r, &answer);
	is(t, buf_span(&answer.text), span_str("pass (here.ex: SPF record at plus.ex designates "
	    "2001:db8::1 as permitted sender) client-ip=\"2001:db8::1\"; "
	    "envelope-from=\"u@plus.ex\";"), "IPv6");
	r = request_of("192.0.2.7", "h", "u@a.ex");
	r.own = true;
	check(&r, &answer);
	is(t, buf_span(&answer.text), span_str("pass (here.ex: local policy designates 192.0.2.7 "
	    "as permitted sender)" FOR("u@a.ex")), "ourselves");
	r = request_of("unknown", "h", "u@a.ex");
	r.receiver = span_str("");
	check(&r, &answer);
	is(t, buf_span(&answer.text), span_str("permerror (unknown: No IP address in conversation)"
	    " envelope-from=\"u@a.ex\";"), "no address, no receiver");
	memset(long_text, '"', sizeof long_text);
	r = request_of("2001:db8:1234:1234:1234:1234:1234:1234", "h", "");
	r.sender = r.receiver = r.helo = span_of(long_text, sizeof long_text);
	check(&r, &answer);
	ok(t, answer.text.n < SPF_TEXT_MAX && !answer.memory, "long texts are cut: %zu",
	    answer.text.n);
	spf_answer_free(&answer);
}

static void
test_explanations(struct tap *t)
{
	struct spf_request r = request_of("192.0.2.7", "h", "u@exp.ex");
	struct spf_answer answer = { 0 };

	check(&r, &answer);
	is(t, buf_span(&answer.explanation), span_str("because 192.0.2.7 is not exp.ex"),
	    "by the domain");
	r.policy.explain = span_str("%{xR}: %{xS}: no %{I}");
	check(&r, &answer);
	is(t, buf_span(&answer.explanation), span_str("because 192.0.2.7 is not exp.ex"),
	    "which wins over ours");
	r = request_of("192.0.2.7", "h", "u\xe9@a.ex");
	check(&r, &answer);
	is(t, buf_span(&answer.explanation),
	    span_str("SPF fail - not authorized: sender=u%E9%40a.ex ip=192.0.2.7"), "by default");
	r.policy.explain = span_str("%{xR}: %{xS}: no %{l}");
	check(&r, &answer);
	is(t, buf_span(&answer.explanation), span_str("here.ex: SPF record at a.ex: no u?"),
	    "by the administrator, made harmless");
	r.sender = span_str("u@nowhere.ex");
	r.policy.guess = span_str("-all");
	check(&r, &answer);
	is(t, buf_span(&answer.explanation), span_str("here.ex: local policy: no u"),
	    "of a guess");
	r.policy.guess = span_str("+all");
	check(&r, &answer);
	is(t, buf_span(&answer.explanation), span_str(""), "none for a pass");
	spf_answer_free(&answer);
}

/* Two questions about each identity are answered: the record and the first host.  The name in HELO
 * uses all of its time, and the sender has his own. */
static void
test_time(struct tap *t)
{
	struct zone z = { .patience = 2, .lines =
	    "slow.ex TXT v=spf1 a:h1.ex a:h2.ex a:h3.ex -all\n"
	    "h1.ex A 192.0.2.9\n"
	    "h2.ex A 192.0.2.9\n"
	    "a.ex TXT v=spf1 a:h3.ex -all\n"
	    "h3.ex A 192.0.2.1\n"
	    "b.ex TXT v=spf1 a:h2.ex a:h3.ex -all\n" };
	struct spf_resolver resolver = zone_resolver(&z);
	struct spf_request r = request_of("192.0.2.1", "slow.ex", "u@a.ex");
	struct spf_answer answer = { 0 };

	spf_check(&r, &resolver, &answer);
	is_num(t, answer.result, SPF_PASS, "HELO takes no time from the sender");
	r = request_of("192.0.2.1", "a.ex", "u@b.ex");
	spf_check(&r, &resolver, &answer);
	is_num(t, answer.result, SPF_TEMPERROR, "the sender takes too long");
	spf_answer_free(&answer);
}

static void
test_words(struct tap *t)
{
	for (unsigned i = 0; i < SPF_RESULTS; i++) {
		enum spf_result r = (enum spf_result)i;

		is_num(t, spf_result_parse(span_str(spf_result_word(r))), r, spf_result_word(r));
	}
	is_num(t, spf_result_parse(span_str("unknown")), SPF_RESULTS, "an old word");
	is_num(t, spf_result_parse(span_str("")), SPF_RESULTS, "no word");
	is(t, span_str(spf_result_old_word(SPF_TEMPERROR)), span_str("error"), "error");
	is(t, span_str(spf_result_old_word(SPF_PERMERROR)), span_str("unknown"), "unknown");
	is(t, span_str(spf_result_old_word(SPF_PASS)), span_str("pass"), "pass");
}

int
main(void)
{
	struct tap t = { 0 };

	test_policies(&t);
	test_policy_checks(&t);
	test_texts(&t);
	test_explanations(&t);
	test_time(&t);
	test_words(&t);
	return done(&t);
}
