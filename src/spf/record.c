/* record - an SPF record taken apart (RFC 7208, 4.5, 4.6, 5, 6, 12). */
#include "spf/record.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/num.h"
#include "spf/macro.h"

#define V4_BITS 32U
#define V6_BITS 128U
#define VERSION span_str("v=spf1")

/* ---- pieces ---- */

bool
spf_record_is(struct span text)
{
	return ascii_istarts(text, VERSION) && (text.n == VERSION.n || text.p[VERSION.n] == ' ');
}

struct span
spf_record_terms(struct span text)
{
	return span_tail(text, VERSION.n);
}

/* Length of the name that begins the term; 0: none does. */
static size_t
name_length(struct span s)
{
	size_t n = 0;

	if (!s.n || !ascii_isalpha(s.p[0]))
		return 0;
	while (n < s.n && (ascii_isalnum(s.p[n]) || s.p[n] == '-' || s.p[n] == '_' ||
	    s.p[n] == '.'))
		n++;
	return n;
}

/* Takes `/24` off the end; false: no such thing is there, or it cannot be. */
static bool
take_prefix(struct span *s, const char *slash, unsigned max, unsigned *bits)
{
	struct span mark = span_str(slash);
	size_t start = s->n;
	uint64_t value;

	while (start > 0 && ascii_isdigit(s->p[start - 1]))
		start--;
	if (start < mark.n || !span_eq(span_of(s->p + start - mark.n, mark.n), mark))
		return false;
	if (s->n - start > 1 && s->p[start] == '0')
		return false;
	if (num_parse_u64(s->p + start, s->n - start, max, &value) != NUM_OK)
		return false;
	*bits = (unsigned)value;
	s->n = start - mark.n;
	return true;
}

/* ---- arguments of mechanisms: false = malformed ---- */

static bool
no_argument(struct span s, struct spf_term *t)
{
	(void)t;
	return s.n == 0;
}

static bool
take_target(struct span s, struct spf_term *t)
{
	if (s.n < 2 || s.p[0] != ':')
		return false;
	t->target = span_tail(s, 1);
	return spf_macro_domain_valid(t->target);
}

static bool
optional_target(struct span s, struct spf_term *t)
{
	return !s.n || take_target(s, t);
}

static bool
target_and_prefixes(struct span s, struct spf_term *t)
{
	(void)take_prefix(&s, "//", V6_BITS, &t->prefix6);
	(void)take_prefix(&s, "/", V4_BITS, &t->prefix4);
	return optional_target(s, t);
}

/* A number with zeros in front is no part of an address here. */
static bool
has_leading_zero(struct span address)
{
	for (size_t i = 0; i + 1 < address.n; i++)
		if (address.p[i] == '0' && (i == 0 || address.p[i - 1] == '.') &&
		    ascii_isdigit(address.p[i + 1]))
			return true;
	return false;
}

static bool
network4(struct span s, struct spf_term *t)
{
	if (!s.n || s.p[0] != ':')
		return false;
	s = span_tail(s, 1);
	(void)take_prefix(&s, "/", V4_BITS, &t->prefix4);
	return ip_parse(s, &t->network) && t->network.family == IP_V4 && !has_leading_zero(s);
}

static bool
network6(struct span s, struct spf_term *t)
{
	if (!s.n || s.p[0] != ':')
		return false;
	s = span_tail(s, 1);
	(void)take_prefix(&s, "/", V6_BITS, &t->prefix6);
	return ip_parse(s, &t->network) && t->network.family == IP_V6;
}

static const struct {
	const char *name;
	bool (*argument)(struct span s, struct spf_term *t);
} mechanisms[SPF_MECHANISMS] = {
	[SPF_ALL] = { "all", no_argument },
	[SPF_INCLUDE] = { "include", take_target },
	[SPF_A] = { "a", target_and_prefixes },
	[SPF_MX] = { "mx", target_and_prefixes },
	[SPF_PTR] = { "ptr", optional_target },
	[SPF_IP4] = { "ip4", network4 },
	[SPF_IP6] = { "ip6", network6 },
	[SPF_EXISTS] = { "exists", take_target },
};

/* ---- terms ---- */

static enum spf_result
take_qualifier(struct span *s)
{
	static const struct {
		char c;
		enum spf_result result;
	} qualifiers[] = {
		{ '+', SPF_PASS }, { '-', SPF_FAIL }, { '~', SPF_SOFTFAIL }, { '?', SPF_NEUTRAL }
	};

	for (size_t i = 0; i < sizeof qualifiers / sizeof *qualifiers; i++)
		if (s->n && s->p[0] == qualifiers[i].c) {
			*s = span_tail(*s, 1);
			return qualifiers[i].result;
		}
	return SPF_PASS;
}

static bool
add_term(struct spf_record *r, const struct spf_term *t)
{
	if (r->n == r->size) {
		size_t size = r->size ? r->size : 8, bytes;
		struct spf_term *terms;

		if ((r->size && num_mul(size, 2, &size)) || num_mul(size, sizeof *t, &bytes) ||
		    !(terms = realloc(r->terms, bytes)))
			return false;
		r->terms = terms;
		r->size = size;
	}
	r->terms[r->n++] = *t;
	return true;
}

static enum spf_record_status
take_mechanism(struct spf_record *r, struct span term, struct span *where)
{
	struct spf_term t = { .prefix4 = V4_BITS, .prefix6 = V6_BITS };
	size_t n;

	t.result = take_qualifier(&term);
	n = name_length(term);
	*where = span_head(term, n);
	if (!n)
		return SPF_RECORD_SYNTAX;
	for (unsigned i = 0; i < SPF_MECHANISMS; i++) {
		if (!ascii_ieq(*where, span_str(mechanisms[i].name)))
			continue;
		t.mechanism = (enum spf_mechanism)i;
		if (!mechanisms[i].argument(span_tail(term, n), &t))
			return SPF_RECORD_SYNTAX;
		return add_term(r, &t) ? SPF_RECORD_OK : SPF_RECORD_MEMORY;
	}
	return SPF_RECORD_UNKNOWN;
}

static enum spf_record_status
take_once(struct span *modifier, struct span value)
{
	if (modifier->n || !spf_macro_domain_valid(value))
		return SPF_RECORD_SYNTAX;
	*modifier = value;
	return SPF_RECORD_OK;
}

static enum spf_record_status
take_modifier(struct spf_record *r, struct span name, struct span value)
{
	if (ascii_ieq(name, span_str("redirect")))
		return take_once(&r->redirect, value);
	if (ascii_ieq(name, span_str("exp")))
		return take_once(&r->explain, value);
	return spf_macro_valid(value, SPF_MACRO_EXPLAIN) ? SPF_RECORD_OK : SPF_RECORD_SYNTAX;
}

static enum spf_record_status
take_term(struct spf_record *r, struct span term, struct span *where)
{
	size_t n = name_length(term);

	if (n && n < term.n && term.p[n] == '=')
		return take_modifier(r, span_head(term, n), span_tail(term, n + 1));
	return take_mechanism(r, term, where);
}

enum spf_record_status
spf_record_parse(struct spf_record *r, struct span terms, struct span *where)
{
	enum spf_record_status first = SPF_RECORD_OK;

	if (terms.n > SPF_RECORD_MAX)
		return SPF_RECORD_SYNTAX;
	while (terms.n && first == SPF_RECORD_OK) {
		struct span term = span_head(terms, span_chr(terms, ' '));

		if (term.n)
			first = take_term(r, term, where);
		terms = span_tail(terms, term.n + 1);
	}
	return first;
}

size_t
spf_record_end(const struct spf_record *r)
{
	size_t i = r->n;

	while (i > 0 && r->terms[i - 1].mechanism == SPF_ALL && r->terms[i - 1].result != SPF_PASS)
		i--;
	return i;
}

void
spf_record_free(struct spf_record *r)
{
	free(r->terms);
	*r = (struct spf_record){ 0 };
}
