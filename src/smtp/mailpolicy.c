/* mailpolicy - control/policy: with whom the users of a domain may exchange mail. */
#include "smtp/mailpolicy.h"

#include <string.h>

#include "lib/alabel.h"
#include "lib/ascii.h"
#include "lib/ctl.h"
#include "mail/addr5321.h"
#include "smtp/checks.h"
#include "smtp/patterns.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"
#include "smtp/wildmat.h"

#define SHOWN_BYTES ((size_t)400)	/* bytes of an address in a reply */

/* What a rule is about, as its letter in lower case. */
enum { SEND_OWN = 'l', RECEIVE_OWN = 'i', SEND_OTHERS = 'r', RECEIVE_OTHERS = 'e' };

/* ---- lines ---- */

static void
skip_blanks(struct span *s)
{
	while (s->n && ascii_isblank(s->p[0]))
		*s = span_tail(*s, 1);
}

/* The bytes before a comma that is not between parentheses; takes the comma, too. */
static struct span
take_part(struct span *line)
{
	struct span part = *line;
	size_t n = 0;
	bool inside = false;

	for (; n < line->n && (inside || line->p[n] != ','); n++)
		if (line->p[n] == '(' || line->p[n] == ')')
			inside = line->p[n] == '(';
	*line = span_tail(*line, n + 1);
	return span_head(part, n);
}

/* The bytes before the colon, without blanks around them; takes the colon, too. */
static struct span
take_name(struct span *part)
{
	size_t colon = span_chr(*part, ':');
	struct span name = span_head(*part, colon);

	*part = span_tail(*part, colon + 1);
	return ascii_trim(name);
}

struct rule {
	char about;		/* in lower case */
	bool allows;
	bool limited;		/* to patterns */
	struct span patterns;	/* commas between */
};

/* false: no rule follows; *rules is empty then, or malformed from there on. */
static bool
take_rule(struct span *rules, struct rule *r)
{
	struct span rest;
	size_t end;

	skip_blanks(rules);
	if (!rules->n || !memchr("LlIiRrEe", rules->p[0], 8))
		return false;
	r->about = ascii_lower(rules->p[0]);
	r->allows = r->about != rules->p[0];
	rest = span_tail(*rules, 1);
	r->limited = rest.n && rest.p[0] == '(';
	if (r->limited) {
		if ((end = span_chr(rest, ')')) == rest.n)
			return false;
		r->patterns = span_of(rest.p + 1, end - 1);
		rest = span_tail(rest, end + 1);
	}
	*rules = rest;
	return true;
}

/* false: none is left. */
static bool
take_pattern(struct span *patterns, struct span *pattern)
{
	do {
		if (!patterns->n)
			return false;
		*pattern = span_head(*patterns, span_chr(*patterns, ','));
		*patterns = span_tail(*patterns, pattern->n + 1);
		*pattern = ascii_trim(*pattern);
	} while (!pattern->n);
	return true;
}

/* ---- reading ---- */

static const char *
patterns_flaw(struct span patterns)
{
	struct span pattern;
	bool some = false;

	while (take_pattern(&patterns, &pattern)) {
		some = true;
		if (!wildmat_is_pattern(pattern))
			return "a pattern in it is malformed";
	}
	return some ? NULL : "no pattern between parentheses";
}

static const char *
rules_flaw(struct span rules)
{
	struct rule r;

	while (take_rule(&rules, &r)) {
		const char *why = r.limited ? patterns_flaw(r.patterns) : NULL;

		if (why)
			return why;
	}
	if (!rules.n)
		return NULL;
	return memchr("LlIiRrEe", rules.p[0], 8) ? "a parenthesis that nothing closes" :
	    "rules are letters of LIRE and lire";
}

/* What is wrong with the line; NULL: nothing. */
static const char *
line_flaw(struct span line)
{
	if (line.n > MAILPOLICY_LINE_MAX)
		return "it is too long";
	for (bool first = true; first || line.n; first = false) {
		struct span part = take_part(&line), name;
		const char *why;

		skip_blanks(&part);
		if (!first && !part.n)
			continue;
		if (span_chr(part, ':') == part.n)
			return first ? "no colon after the domain" : "no colon after a user";
		name = take_name(&part);
		if (!name.n || span_chr(name, '@') < name.n)
			return first ? "no domain before the colon" : "no user before a colon";
		if ((why = rules_flaw(part)))
			return why;
	}
	return NULL;
}

static bool
is_comment(struct span line)
{
	return line.p[0] == ';';
}

/* Patterns are compared in lower case; the letters of rules keep theirs. */
static void
fold_patterns(struct buf *text)
{
	bool inside = false;

	for (size_t i = 0; i < text->n; i++) {
		if (text->p[i] == '(' || text->p[i] == ')' || text->p[i] == '\0')
			inside = text->p[i] == '(';
		else if (inside)
			text->p[i] = ascii_lower(text->p[i]);
	}
}

static void
look_for_flaws(struct buf *complaints)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	struct span line;
	size_t pos = 0, number = 0;

	if (ctl_text("policy", &text) != CTL_FOUND)
		text.n = 0;
	while (ctl_next_line(&text, &pos, &number, &line)) {
		const char *why = is_comment(line) ? NULL : line_flaw(line);

		if (why)
			patterns_complain(complaints, "policy", number, line, why);
	}
	buf_free(&text);
}

int
mailpolicy_read(struct mailpolicy *p, const struct ctlnames *names, struct buf *complaints)
{
	if (!ctlnames_may_have(names, "policy"))
		return 0;
	switch (ctl_list("policy", &p->text)) {
	case CTL_ABSENT:
		return 0;
	case CTL_FOUND:
		fold_patterns(&p->text);
		look_for_flaws(complaints);
		return 0;
	default:
		return smtplog_unread("policy");
	}
}

void
mailpolicy_free(struct mailpolicy *p)
{
	buf_free(&p->text);
}

/* ---- asking ---- */

/* pattern and other in lower case. */
static bool
fits(struct span pattern, struct span other)
{
	bool wild = false;

	for (size_t i = 0; i < pattern.n && !wild; i++)
		wild = memchr("@*?[\\<", pattern.p[i], 6) != NULL;
	return wild ? wildmat_match(pattern, other) :
	    alabel_ieq(pattern, addr5321_domain(other));
}

static bool
concerns(const struct rule *r, struct span other)
{
	struct span rest = r->patterns, pattern;

	while (take_pattern(&rest, &pattern))
		if (fits(pattern, other))
			return true;
	return false;
}

static enum mailpolicy_verdict
rules_say(struct span rules, char about, struct span other)
{
	enum mailpolicy_verdict said = MAILPOLICY_UNSAID, of_other = MAILPOLICY_UNSAID;
	struct rule r;

	while (take_rule(&rules, &r)) {
		enum mailpolicy_verdict v = r.allows ? MAILPOLICY_ALLOWED : MAILPOLICY_DENIED;

		if (r.about != about)
			continue;
		if (!r.limited)
			said = v;
		else if (concerns(&r, other))
			of_other = v;
	}
	return of_other != MAILPOLICY_UNSAID ? of_other : said;
}

/* The line that begins with the domain. */
static bool
find_line(const struct mailpolicy *p, struct span domain, struct span *line)
{
	size_t pos = 0;

	while (domain.n && ctl_next(&p->text, &pos, line)) {
		struct span rest = *line;

		if (!is_comment(rest) && alabel_ieq(take_name(&rest), domain))
			return true;
	}
	return false;
}

static enum mailpolicy_verdict
line_says(struct span line, struct span user, char about, struct span other)
{
	enum mailpolicy_verdict domain = MAILPOLICY_UNSAID, said = MAILPOLICY_UNSAID;

	for (bool first = true; first || line.n; first = false) {
		struct span part = take_part(&line), name = take_name(&part);

		if (first)
			domain = rules_say(part, about, other);
		else if (said == MAILPOLICY_UNSAID && ascii_ieq(name, user))
			said = rules_say(part, about, other);
	}
	return said != MAILPOLICY_UNSAID ? said : domain;
}

/* One side of it: who, about what, with whom. */
static enum mailpolicy_verdict
ask(const struct mailpolicy *p, struct span who, char about, struct span other)
{
	struct span domain = addr5321_domain(who), line;
	struct buf folded = { 0 };
	enum mailpolicy_verdict v = MAILPOLICY_BROKEN;

	if (!find_line(p, domain, &line))
		return MAILPOLICY_UNSAID;
	if (line_flaw(line))
		return MAILPOLICY_BROKEN;
	buf_addspan(&folded, other.n ? other : span_str("<>"));
	ascii_lower_n(folded.p, folded.n);
	if (buf_ok(&folded))
		v = line_says(line, span_head(who, span_rchr(who, '@')), about,
		    buf_span(&folded));
	buf_free(&folded);
	return v;
}

enum mailpolicy_verdict
mailpolicy_ask(const struct mailpolicy *p, struct span sender, struct span recipient)
{
	bool own = alabel_ieq(addr5321_domain(sender), addr5321_domain(recipient));
	enum mailpolicy_verdict v = ask(p, sender, own ? SEND_OWN : SEND_OTHERS, recipient);

	return v == MAILPOLICY_DENIED || v == MAILPOLICY_BROKEN ? v :
	    ask(p, recipient, own ? RECEIVE_OWN : RECEIVE_OTHERS, sender);
}

static enum reply
refuse(struct session *s, const char *code, struct span recipient, const char *why)
{
	struct buf text = { 0 };
	enum reply r;

	buf_adds(&text, code);
	buf_adds(&text, " cannot message ");
	buf_addspan(&text, span_head(recipient, SHOWN_BYTES));
	buf_adds(&text, why);
	r = buf_ok(&text) ? checks_say(s, buf_span(&text)) : REPLY_MEMORY;
	buf_free(&text);
	return r;
}

enum reply
mailpolicy_check(struct session *s, struct buf *recipient)
{
	const struct mailpolicy *p = &s->conf->mailpolicy;

	switch (p->text.n ? mailpolicy_ask(p, buf_span(&s->sender), buf_span(recipient)) :
	    MAILPOLICY_UNSAID) {
	case MAILPOLICY_DENIED:
		return refuse(s, "550", buf_span(recipient), " (#5.0.0 denied by policy)");
	case MAILPOLICY_BROKEN:
		return refuse(s, "454", buf_span(recipient), " (#4.3.0 broken policy)");
	default:
		return REPLY_OK;
	}
}
