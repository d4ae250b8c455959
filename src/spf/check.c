/* check - may this client send mail in this name?  (RFC 7208, 2, 4, 6.) */
#include "spf/check.h"

#include <string.h>

#include "lib/ascii.h"
#include "net/idn.h"
#include "spf/eval.h"

#define POSTMASTER span_str("postmaster")

enum spf_match
spf_eval_problem(struct spf_eval *e, enum spf_problem problem)
{
	e->problem = problem;
	return SPF_MATCH_PERMERROR;
}

static enum spf_result
permerror(struct spf_eval *e, enum spf_problem problem)
{
	(void)spf_eval_problem(e, problem);
	return SPF_PERMERROR;
}

static enum spf_result
out_of_memory(struct spf_eval *e)
{
	e->memory = true;
	return SPF_TEMPERROR;
}

/* ---- finding the record ---- */

/* PASS: *terms is what follows the version, within *texts. */
static enum spf_result
find_record(struct spf_eval *e, struct span domain, struct buf *texts, struct span *terms)
{
	enum dns_status status = e->resolver->txt(e->resolver->arg, domain, texts);
	bool found = false;

	if (status == DNS_ABSENT)
		return SPF_NONE;
	if (status != DNS_OK)
		return status == DNS_MEMORY ? out_of_memory(e) : SPF_TEMPERROR;
	for (size_t pos = 0; pos < texts->n;) {
		struct span text = span_str(texts->p + pos);

		pos += text.n + 1;
		if (!spf_record_is(text))
			continue;
		if (found)
			return permerror(e, SPF_PROBLEM_MULTIPLE);
		found = true;
		*terms = spf_record_terms(text);
	}
	return found ? SPF_PASS : SPF_NONE;
}

/* PASS: it is understood. */
static enum spf_result
parse(struct spf_eval *e, struct span terms, struct spf_record *record)
{
	struct span where = span_str("");

	switch (spf_record_parse(record, terms, &where)) {
	case SPF_RECORD_OK:
		return SPF_PASS;
	case SPF_RECORD_UNKNOWN:
		buf_reset(&e->problem_name);
		buf_addspan(&e->problem_name, where);
		return permerror(e, SPF_PROBLEM_UNKNOWN);
	case SPF_RECORD_SYNTAX:
		return permerror(e, SPF_PROBLEM_PARSE);
	case SPF_RECORD_MEMORY:
		break;
	}
	return out_of_memory(e);
}

/* ---- explanation ---- */

/* Exactly one text, of a kind that can be shown; else the domain has given none. */
static void
take_explanation(struct spf_eval *e, const struct buf *texts)
{
	struct span text = span_str(texts->p);

	if (text.n + 1 != texts->n || !spf_macro_valid(text, SPF_MACRO_EXPLAIN))
		return;
	spf_macro_expand(text, SPF_MACRO_EXPLAIN, &e->names, &e->explanation);
	if (!buf_ok(&e->explanation))
		buf_reset(&e->explanation);
}

static void
fetch_explanation(struct spf_eval *e, const struct spf_record *record)
{
	struct buf name = { 0 }, texts = { 0 };

	if (record->explain.n) {
		spf_macro_expand_domain(record->explain, &e->names, &name);
		if (buf_ok(&name) && spf_mechanism_is_name(buf_span(&name)) &&
		    e->resolver->txt(e->resolver->arg, buf_span(&name), &texts) == DNS_OK)
			take_explanation(e, &texts);
	}
	buf_free(&name);
	buf_free(&texts);
}

/* ---- running the record ---- */

/* The terms from..to, in order.  false: none matched, *result is unchanged. */
static bool
run_terms(struct spf_eval *e, const struct spf_record *record, size_t from, size_t to,
    enum spf_result *result)
{
	for (size_t i = from; i < to; i++) {
		switch (spf_mechanism_match(e, &record->terms[i])) {
		case SPF_MATCH_NO:
			continue;
		case SPF_MATCH_YES:
			*result = record->terms[i].result;
			break;
		case SPF_MATCH_TEMPERROR:
			*result = SPF_TEMPERROR;
			break;
		case SPF_MATCH_PERMERROR:
			*result = SPF_PERMERROR;
			break;
		}
		return true;
	}
	return false;
}

/* Our own terms, which are no concern of the domain's: their questions are counted apart. */
static bool
run_own(struct spf_eval *e, struct span terms, enum spf_result *result)
{
	struct spf_budget *before = e->budget;
	struct spf_record record = { 0 };
	bool matched = true;

	*result = parse(e, terms, &record);
	if (*result == SPF_PASS) {
		e->budget = &e->rules_budget;
		matched = run_terms(e, &record, 0, record.n, result);
		e->budget = before;
	}
	spf_record_free(&record);
	e->by_policy = matched;
	return matched;
}

static bool
has_all(const struct spf_record *record)
{
	for (size_t i = 0; i < record->n; i++)
		if (record->terms[i].mechanism == SPF_ALL)
			return true;
	return false;
}

static enum spf_result
redirect(struct spf_eval *e, const struct spf_record *record)
{
	struct buf target = { 0 };
	enum spf_result result = SPF_NONE;

	if (!record->redirect.n || has_all(record))
		return SPF_NEUTRAL;
	if (spf_mechanism_count(e, SPF_PROBLEM_NESTING) != SPF_MATCH_NO)
		return SPF_PERMERROR;
	spf_macro_expand_domain(record->redirect, &e->names, &target);
	if (!buf_ok(&target))
		result = out_of_memory(e);
	else if (spf_mechanism_is_name(buf_span(&target)))
		result = spf_eval_host(e, buf_span(&target));
	buf_free(&target);
	return result == SPF_NONE ? permerror(e, SPF_PROBLEM_NO_RECORD) : result;
}

/* `with_rules`: the record of the identity itself. */
static enum spf_result
run_record(struct spf_eval *e, const struct spf_record *record, bool with_rules)
{
	size_t end = with_rules ? spf_record_end(record) : record->n;
	enum spf_result result;

	if (!run_terms(e, record, 0, end, &result) &&
	    !(with_rules && run_own(e, e->request->policy.rules, &result)) &&
	    !run_terms(e, record, end, record->n, &result))
		return redirect(e, record);
	if (result == SPF_FAIL && e->depth == 0 && !e->by_policy)
		fetch_explanation(e, record);
	return result;
}

/* check_host() of the RFC.  A domain without a record gives NONE. */
static enum spf_result
eval_record(struct spf_eval *e, struct span domain, bool with_rules)
{
	const struct span outer = e->names.domain;
	struct spf_record record = { 0 };
	struct buf texts = { 0 };
	struct span terms = span_str("");
	enum spf_result result;

	e->names.domain = domain;
	result = find_record(e, domain, &texts, &terms);
	if (result == SPF_PASS)
		result = parse(e, terms, &record);
	if (result == SPF_PASS)
		result = run_record(e, &record, with_rules);
	spf_record_free(&record);
	buf_free(&texts);
	e->names.domain = outer;
	return result;
}

enum spf_result
spf_eval_host(struct spf_eval *e, struct span domain)
{
	return eval_record(e, domain, false);
}

/* ---- identities ---- */

/* A name in DNS with more than one label, and no address. */
static bool
is_domain(struct span s)
{
	return spf_mechanism_is_name(s) && span_chr(s, '.') < s.n && s.p[0] != '[';
}

/* The domain has no record: the administrator's guess, with his rules in it as in a record. */
static enum spf_result
run_guess(struct spf_eval *e, struct span guess)
{
	struct spf_record record = { 0 };
	enum spf_result result = parse(e, guess, &record);
	size_t end;

	if (result != SPF_PASS)
		return result;
	end = spf_record_end(&record);
	e->budget = &e->rules_budget;
	if (!run_terms(e, &record, 0, end, &result) &&
	    !run_own(e, e->request->policy.rules, &result) &&
	    !run_terms(e, &record, end, record.n, &result))
		result = guess.n ? SPF_NEUTRAL : SPF_NONE;
	spf_record_free(&record);
	return result;
}

/* Errors in what the administrator guesses are no errors of the domain's. */
static enum spf_result
guess(struct spf_eval *e)
{
	enum spf_result result;

	e->names.domain = e->domain;
	result = run_guess(e, e->is_helo ? span_str("") : e->request->policy.guess);
	if (result == SPF_TEMPERROR || result == SPF_PERMERROR)
		result = SPF_NONE;
	e->by_policy = result != SPF_NONE;
	return result;
}

static enum spf_result
check_identity(struct spf_eval *e)
{
	enum spf_result result = SPF_NONE;

	if (is_domain(e->domain))
		result = eval_record(e, e->domain, true);
	return result == SPF_NONE ? guess(e) : result;
}

static struct span
without_end_dot(struct span s)
{
	return s.n && s.p[s.n - 1] == '.' ? span_head(s, s.n - 1) : s;
}

static struct span
part_after_at(struct span address)
{
	size_t at = span_rchr(address, '@');

	return without_end_dot(at < address.n ? span_tail(address, at + 1) : address);
}

static void
begin(struct spf_eval *e, const struct spf_request *request, bool is_helo)
{
	size_t at = span_rchr(request->sender, '@');

	e->is_helo = is_helo;
	e->local = is_helo || at == 0 ? POSTMASTER : span_head(request->sender, at);
	e->domain = part_after_at(is_helo ? request->helo : request->sender);
	e->budget = &e->record_budget;
	e->names = (struct spf_names){
		.local = e->local, .sender_domain = e->domain, .domain = e->domain,
		.helo = part_after_at(request->helo), .receiver = request->receiver,
		.ip = request->ip, .now = request->now,
		.validated = spf_mechanism_validated, .arg = e
	};
	buf_init(&e->explanation, SPF_EXPLANATION_MAX);
}

/* A mapped address counts as the IPv4 one that is in it. */
static struct ip
plain_address(const struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	struct ip plain;

	return ip_parse(span_str(ip_format(ip, text)), &plain) ? plain : *ip;
}

static void
check(struct spf_eval *e, const struct spf_request *request, bool is_helo,
    struct spf_answer *answer)
{
	begin(e, request, is_helo);
	e->names.ip = plain_address(&request->ip);
	e->by_policy = request->own;
	if (request->own)
		answer->result = SPF_PASS;
	else if (request->ip.family == IP_NONE)
		answer->result = permerror(e, SPF_PROBLEM_NO_IP);
	else
		answer->result = check_identity(e);
	answer->memory = e->memory;
	spf_text_header(e, answer);
	if (answer->result != SPF_PASS && answer->result != SPF_TEMPERROR)
		spf_text_explanation(e, answer);
	if (answer->text.failed || answer->explanation.failed)
		answer->memory = true;
	if (answer->memory)
		answer->result = SPF_TEMPERROR;
}

/* Appends an address or a name with its domain as A-labels (RFC 8616, 4).  One that cannot be a
 * domain stays, and has no record.  False: no memory. */
static bool
add_ascii_domain(struct span address, struct buf *to)
{
	size_t at = span_rchr(address, '@'), start = at < address.n ? at + 1 : 0;

	buf_addspan(to, span_head(address, start));
	switch (idn_add_ascii(span_tail(address, start), to)) {
	case IDN_OK:
		break;
	case IDN_NONE:
		buf_addspan(to, span_tail(address, start));
		break;
	case IDN_MEMORY:
		return false;
	}
	return buf_ok(to);
}

static void
check_and_forget(const struct spf_request *request, const struct spf_resolver *resolver,
    bool is_helo, struct spf_answer *answer)
{
	struct spf_eval e = { .request = request, .resolver = resolver };

	buf_reset(&answer->text);
	buf_reset(&answer->explanation);
	resolver->begin(resolver->arg);
	check(&e, request, is_helo, answer);
	buf_free(&e.problem_name);
	buf_free(&e.validated);
	buf_free(&e.explanation);
}

static void
check_both(const struct spf_request *request, const struct spf_resolver *resolver,
    struct spf_answer *answer)
{
	struct span helo = part_after_at(request->helo), domain = part_after_at(request->sender);
	bool has_domain = domain.n && span_chr(request->sender, '@') < request->sender.n;
	bool known = request->own || request->ip.family == IP_NONE;

	if (has_domain && !known && is_domain(helo) && !ascii_ieq(helo, domain)) {
		check_and_forget(request, resolver, true, answer);
		if (answer->result == SPF_FAIL)
			return;
	}
	check_and_forget(request, resolver, !has_domain, answer);
}

void
spf_check(const struct spf_request *request, const struct spf_resolver *resolver,
    struct spf_answer *answer)
{
	struct buf helo = { 0 }, sender = { 0 };
	struct spf_request r = *request;

	if (add_ascii_domain(request->helo, &helo) && add_ascii_domain(request->sender, &sender)) {
		r.helo = buf_span(&helo);
		r.sender = buf_span(&sender);
		check_both(&r, resolver, answer);
	} else {
		buf_reset(&answer->text);
		buf_reset(&answer->explanation);
		buf_adds(&answer->text, "temperror (out of memory)");
		answer->result = SPF_TEMPERROR;
		answer->memory = true;
	}
	buf_free(&helo);
	buf_free(&sender);
}

void
spf_answer_free(struct spf_answer *answer)
{
	buf_free(&answer->text);
	buf_free(&answer->explanation);
}

static bool
terms_valid(struct span terms)
{
	struct spf_record record = { 0 };
	struct span where = span_str("");
	bool valid = spf_record_parse(&record, terms, &where) == SPF_RECORD_OK &&
	    !record.redirect.n && !record.explain.n;

	spf_record_free(&record);
	return valid;
}

const char *
spf_policy_check(const struct spf_policy *policy)
{
	if (!terms_valid(policy->rules))
		return "rules";
	if (!terms_valid(policy->guess))
		return "guess";
	return spf_macro_valid(policy->explain, SPF_MACRO_OWN) ? NULL : "explain";
}
