/* SPF with name servers that answer anything: every check ends after a bounded number of questions,
 * and what is said of it is one printable line.  Input: pieces with a `|` between them: sender,
 * HELO, local rules, guess, explanation, and then answers, one for each question.  An answer to TXT
 * is its records with `~` between them; others are words: `y` the client's address or a name that
 * leads back to it, `n` another, `0` nothing, `!` no answer, a digit that many of them. */
#include "rig.h"

#include <stdlib.h>

#include "lib/ascii.h"
#include "spf/check.h"
#include "spf/link.h"
#include "spf/macro.h"
#include "spf/record.h"

/* Both identities, each: its record, ten terms with ten hosts or names each, rules as well, exp. */
#define QUESTIONS_MOST (2 * (2 + 2 * 10 * 12))

const char *const fuzz_words[] = {
	"u@a.ex|h.ex||||v=spf1 ", "v=spf1 ", "|", "~", "a ", "mx ", "ptr ", "-all", "~all ", "?all",
	"include:b.ex ", "exists:%{i}.%{v}.ex ", "redirect=c.ex", "exp=e.ex", "ip4:192.0.2.0/24 ",
	"ip6:2001:db8::/32 ", "a:%{d2r}.ex/24//64 ", "%{l1r-}", "%{p}", "%{S}", "%{h}", "%{c}",
	"%{", "}", "%%", "//", ":", "=", "y", "n", "0", "!", "9",
	"|v=spf1 include:x.ex a mx ptr ", NULL
};

static struct {
	struct span left;
	size_t asked;
} server;

static struct span
next_answer(void)
{
	server.asked++;
	return rig_take(&server.left, '|');
}

static enum dns_status
status_of(struct span answer)
{
	if (!answer.n || answer.p[0] == '0')
		return DNS_ABSENT;
	return answer.p[0] == '!' ? DNS_SOFT : DNS_OK;
}

static size_t
count_of(struct span answer)
{
	return ascii_isdigit(answer.p[0]) ? 2 * (size_t)(answer.p[0] - '0') : 1;
}

/* The time is not what is bounded here. */
static void
begin(void *arg)
{
	(void)arg;
}

static enum dns_status
answer_txt(void *arg, struct span name, struct buf *texts)
{
	struct span answer = next_answer();

	(void)arg;
	promise(name.n > 0 && name.n <= SPF_NAME_BYTES);
	buf_reset(texts);
	if (status_of(answer) != DNS_OK)
		return status_of(answer);
	while (answer.n) {
		struct span text = rig_take(&answer, '~');

		for (size_t i = 0; i < text.n; i++)
			buf_addc(texts, text.p[i] ? text.p[i] : '\177');
		buf_addc(texts, '\0');
	}
	return DNS_OK;
}

static enum dns_status
answer_family(void *arg, struct span name, enum ip_family family, struct ip_list *to)
{
	struct span answer = next_answer();
	struct ip ip = { family, { 192, 0, 2, 7 } };

	(void)arg;
	promise(name.n > 0);
	if (status_of(answer) != DNS_OK)
		return status_of(answer);
	ip.bytes[3] = answer.p[0] == 'y' ? 7 : 8;
	for (size_t i = 0; i < count_of(answer); i++)
		if (ip_list_add(to, &ip) == -1)
			abort();
	return DNS_OK;
}

static enum dns_status
answer_mx(void *arg, struct span name, struct dns_mx_list *to)
{
	struct span answer = next_answer();

	(void)arg;
	promise(name.n > 0 && name.n <= SPF_NAME_BYTES);
	if (status_of(answer) != DNS_OK)
		return status_of(answer);
	for (size_t i = 0; i < count_of(answer); i++)
		if (dns_mx_add(to, 1, span_str(answer.p[0] == 'n' ? "" : "m.ex")) != DNS_OK)
			abort();
	return DNS_OK;
}

static enum dns_status
answer_ptr(void *arg, const struct ip *ip, struct buf *names)
{
	struct span answer = next_answer();

	(void)arg;
	promise(ip->family != IP_NONE);
	if (status_of(answer) != DNS_OK)
		return status_of(answer);
	for (size_t i = 0; i < count_of(answer); i++)
		buf_add(names, "h.a.ex", sizeof "h.a.ex");
	return DNS_OK;
}

static void
check_line(const struct buf *line, size_t max)
{
	promise(line->n <= max);
	for (size_t i = 0; i < line->n; i++)
		promise(line->p[i] >= 32 && line->p[i] < 127);
}

/* What is valid is expanded within bounds; what is a record is read again as the same. */
static void
check_parts(struct span text)
{
	struct spf_record record = { 0 };
	struct span where = span_str("");

	if (spf_record_parse(&record, text, &where) == SPF_RECORD_OK) {
		promise(spf_record_end(&record) <= record.n && record.n <= text.n);
		for (size_t i = 0; i < record.n; i++)
			promise(record.terms[i].prefix4 <= 32 && record.terms[i].prefix6 <= 128);
	}
	if (spf_macro_domain_valid(text))
		promise(spf_macro_valid(text, SPF_MACRO_DOMAIN));
	if (spf_macro_valid(text, SPF_MACRO_DOMAIN))
		promise(spf_macro_valid(text, SPF_MACRO_EXPLAIN));
	spf_record_free(&record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct spf_resolver resolver = { begin, answer_txt, answer_family, answer_mx,
		answer_ptr, NULL };
	struct spf_request r = { .ip = { IP_V4, { 192, 0, 2, 7 } }, .now = 1700000000 };
	struct spf_answer answer = { 0 };
	struct span in = rig_input(p, n);

	check_parts(in);
	r.sender = rig_take(&in, '|');
	r.helo = rig_take(&in, '|');
	r.policy.rules = rig_take(&in, '|');
	r.policy.guess = rig_take(&in, '|');
	r.policy.explain = rig_take(&in, '|');
	r.receiver = r.helo;
	if (n % 2)
		r.ip.family = IP_V6;
	if (spf_policy_check(&r.policy))
		r.policy = (struct spf_policy){ .rules = span_str("") };
	server.left = in;
	server.asked = 0;
	spf_check(&r, &resolver, &answer);
	promise(answer.result < SPF_RESULTS && !answer.memory);
	promise(server.asked <= QUESTIONS_MOST);
	check_line(&answer.text, SPF_TEXT_MAX);
	check_line(&answer.explanation, SPF_EXPLANATION_MAX);
	promise((answer.explanation.n > 0) == (answer.result != SPF_PASS &&
	    answer.result != SPF_TEMPERROR));
	spf_answer_free(&answer);
	return 0;
}
