/* text - what is said of a check: the Received-SPF field (RFC 7208, 9.1) and the explanation.
 * Everything a stranger chose is cut and made harmless: in a comment nothing ends it, in a quoted
 * string quotes are escaped, and nowhere is there a byte outside printable US-ASCII. */
#include <string.h>

#include "lib/ascii.h"
#include "spf/eval.h"

#define DEFAULT_EXPLANATION "SPF fail - not authorized: sender=%{S} ip=%{I}"
#define RECEIVER_SHOWN ((size_t)100)	/* bytes; these keep the field below SPF_TEXT_MAX */
#define QUOTED_SHOWN ((size_t)256)
#define MECHANISM_SHOWN ((size_t)32)

/* ---- harmless pieces ---- */

static char
printable(char c)
{
	return ascii_isgraph(c) || c == ' ' ? c : '?';
}

/* As part of a comment. */
static void
add_comment(struct buf *to, struct span s, size_t max)
{
	s = span_head(s, max);
	for (size_t i = 0; i < s.n; i++)
		buf_addc(to, strchr("()\\", s.p[i]) ? '?' : printable(s.p[i]));
}

static bool
is_dot_atom(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_isalnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' && (s.p[i] != '.' ||
		    i == 0 || i == s.n - 1 || s.p[i - 1] == '.'))
			return false;
	return s.n > 0;
}

static void
add_quoted(struct buf *to, struct span s)
{
	size_t end = to->n + QUOTED_SHOWN;

	buf_addc(to, '"');
	for (size_t i = 0; i < s.n && to->n < end && buf_ok(to); i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(to, '\\');
		buf_addc(to, printable(s.p[i]));
	}
	buf_addc(to, '"');
}

static void
add_value(struct buf *to, struct span s)
{
	if (s.n <= QUOTED_SHOWN && is_dot_atom(s))
		buf_addspan(to, s);
	else
		add_quoted(to, s);
}

/* ---- the header field ---- */

static const char *
problem_text(enum spf_problem problem)
{
	switch (problem) {
	case SPF_PROBLEM_MULTIPLE:
		return "Multiple SPF records returned";
	case SPF_PROBLEM_NESTING:
		return "Maximum nesting level exceeded, possible loop";
	case SPF_PROBLEM_LOOKUPS:
		return "Too many DNS lookups";
	case SPF_PROBLEM_VOID:
		return "Too many DNS lookups without result";
	case SPF_PROBLEM_HOSTS:
		return "Too many mail exchangers";
	case SPF_PROBLEM_NO_IP:
		return "No IP address in conversation";
	default:
		return "unknown problem";
	}
}

/* `SPF record at a.ex`, or ours. */
static void
add_source(const struct spf_eval *e, struct buf *to)
{
	if (e->by_policy) {
		buf_adds(to, "local policy");
		return;
	}
	buf_adds(to, "SPF record at ");
	add_comment(to, e->domain, SPF_NAME_BYTES);
}

static void
add_client(const struct spf_eval *e, struct buf *to)
{
	char text[IP_TEXT_SIZE];

	buf_adds(to, ip_format(&e->names.ip, text));
}

static void
say_source_and_client(const struct spf_eval *e, const char *before, const char *between,
    const char *after, struct buf *to)
{
	buf_adds(to, before);
	add_source(e, to);
	buf_adds(to, between);
	add_client(e, to);
	buf_adds(to, after);
}

static void
say_nothing_designated(const struct spf_eval *e, struct buf *to)
{
	buf_adds(to, "domain at ");
	add_comment(to, e->domain, SPF_NAME_BYTES);
	buf_adds(to, " does not designate permitted sender hosts");
}

static void
say_problem(const struct spf_eval *e, struct buf *to)
{
	switch (e->problem) {
	case SPF_PROBLEM_NO_RECORD:
		say_nothing_designated(e, to);
		break;
	case SPF_PROBLEM_UNKNOWN:
		add_source(e, to);
		buf_adds(to, " uses mechanism not recognized by this client");
		break;
	case SPF_PROBLEM_PARSE:
		buf_adds(to, "parse error in ");
		add_source(e, to);
		break;
	default:
		buf_adds(to, problem_text(e->problem));
		break;
	}
}

static void
say_why(const struct spf_eval *e, enum spf_result result, struct buf *to)
{
	switch (result) {
	case SPF_PASS:
		say_source_and_client(e, "", " designates ", " as permitted sender", to);
		break;
	case SPF_SOFTFAIL:
		say_source_and_client(e, "transitioning ", " does not designate ",
		    " as permitted sender", to);
		break;
	case SPF_FAIL:
		say_source_and_client(e, "", " does not designate ", " as permitted sender", to);
		break;
	case SPF_NEUTRAL:
		add_client(e, to);
		buf_adds(to, " is neither permitted nor denied by ");
		add_source(e, to);
		break;
	case SPF_NONE:
		say_nothing_designated(e, to);
		break;
	case SPF_TEMPERROR:
		buf_adds(to, "error in processing during lookup of ");
		add_comment(to, e->domain, SPF_NAME_BYTES);
		buf_adds(to, ": DNS problem");
		break;
	default:
		say_problem(e, to);
		break;
	}
}

/* ` client-ip=192.0.2.1; envelope-from="a@b.ex";` */
static void
add_keys(const struct spf_eval *e, struct buf *to)
{
	char ip[IP_TEXT_SIZE];

	if (*ip_format(&e->names.ip, ip)) {
		buf_adds(to, " client-ip=");
		add_value(to, span_str(ip));
		buf_addc(to, ';');
	}
	buf_adds(to, e->is_helo ? " helo=" : " envelope-from=");
	if (e->is_helo)
		add_value(to, e->request->helo);
	else
		add_quoted(to, e->request->sender);
	buf_addc(to, ';');
}

void
spf_text_header(const struct spf_eval *e, struct spf_answer *answer)
{
	struct buf *to = &answer->text;

	buf_adds(to, spf_result_word(answer->result));
	if (answer->result == SPF_PERMERROR && e->problem == SPF_PROBLEM_UNKNOWN) {
		buf_addc(to, ' ');
		add_comment(to, buf_span(&e->problem_name), MECHANISM_SHOWN);
	}
	buf_adds(to, " (");
	add_comment(to, e->request->receiver.n ? e->request->receiver : span_str("unknown"),
	    RECEIVER_SHOWN);
	buf_adds(to, ": ");
	say_why(e, answer->result, to);
	buf_addc(to, ')');
	add_keys(e, to);
}

/* ---- the explanation ---- */

static void
expand_own(struct spf_eval *e, struct span text)
{
	struct buf source = { 0 };

	add_source(e, &source);
	e->names.source = buf_span(&source);
	e->names.domain = e->domain;
	spf_macro_expand(text, SPF_MACRO_OWN, &e->names, &e->explanation);
	e->names.source = span_str("");
	if (!buf_ok(&source) || !buf_ok(&e->explanation))
		buf_reset(&e->explanation);
	buf_free(&source);
}

void
spf_text_explanation(struct spf_eval *e, struct spf_answer *answer)
{
	if (!e->explanation.n && e->request->policy.explain.n)
		expand_own(e, e->request->policy.explain);
	if (!e->explanation.n)
		expand_own(e, span_str(DEFAULT_EXPLANATION));
	if (!e->explanation.n)
		buf_adds(&e->explanation, "SPF fail - not authorized");
	for (size_t i = 0; i < e->explanation.n; i++)
		buf_addc(&answer->explanation, printable(e->explanation.p[i]));
}
