/* mechanism - does a term of a record match the client?  (RFC 7208, 4.6.4, 5.) */
#include "spf/eval.h"

#include <string.h>

#include "lib/ascii.h"
#include "net/idn.h"

#define LABEL_BYTES ((size_t)63)

bool
spf_mechanism_is_name(struct span domain)
{
	if (!domain.n || domain.n > SPF_NAME_BYTES || idn_is_foreign(domain))
		return false;
	for (;;) {
		size_t label = span_chr(domain, '.');

		if (label == 0 || label > LABEL_BYTES)
			return false;
		if (label == domain.n)
			return true;
		domain = span_tail(domain, label + 1);
	}
}

enum spf_match
spf_mechanism_count(struct spf_eval *e, enum spf_problem if_too_many)
{
	return ++e->budget->lookups > SPF_LOOKUPS_MAX ? spf_eval_problem(e, if_too_many) :
	    SPF_MATCH_NO;
}

/* The RFC limits "the number of terms for which DNS queries return" nothing, so a term counts once:
 * three mail servers without IPv6 are no reason against `mx`, whoever asks by IPv6. */
static enum spf_match
count_void(struct spf_eval *e)
{
	if (e->term_void)
		return SPF_MATCH_NO;
	e->term_void = true;
	return ++e->budget->voids > SPF_VOID_MAX ? spf_eval_problem(e, SPF_PROBLEM_VOID) :
	    SPF_MATCH_NO;
}

/* YES: there are records. */
static enum spf_match
judge(struct spf_eval *e, enum dns_status status)
{
	switch (status) {
	case DNS_OK:
		return SPF_MATCH_YES;
	case DNS_ABSENT:
		return count_void(e);
	case DNS_MEMORY:
		e->memory = true;
		break;
	case DNS_SOFT:
		break;
	}
	return SPF_MATCH_TEMPERROR;
}

/* ---- addresses ---- */

static bool
client_is_in(const struct spf_eval *e, const struct ip *network, const struct spf_term *t)
{
	const struct ip *client = &e->names.ip;

	return ip_same_network(client, network,
	    client->family == IP_V4 ? t->prefix4 : t->prefix6);
}

/* Has the name an address of this family, or, with a term, one that it matches? */
static enum spf_match
match_addresses(struct spf_eval *e, struct span name, enum ip_family family,
    const struct spf_term *t)
{
	struct ip_list list = { 0 };
	enum spf_match match;

	match = judge(e, e->resolver->family(e->resolver->arg, name, family, &list));
	if (match == SPF_MATCH_YES && t) {
		match = SPF_MATCH_NO;
		for (size_t i = 0; i < list.n; i++)
			if (client_is_in(e, &list.list[i], t))
				match = SPF_MATCH_YES;
	}
	ip_list_free(&list);
	return match;
}

/* ---- the client's own names ---- */

/* The name leads back to the client.  A question that fails or is in vain tells nothing. */
static bool
leads_back(struct spf_eval *e, struct span name)
{
	struct ip_list list = { 0 };
	bool found = false;

	if (e->resolver->family(e->resolver->arg, name, e->names.ip.family, &list) == DNS_OK)
		found = ip_list_has(&list, &e->names.ip);
	ip_list_free(&list);
	return found;
}

static enum spf_match
find_validated(struct spf_eval *e)
{
	struct buf names = { 0 };
	enum dns_status status;
	enum spf_match match = SPF_MATCH_NO;
	size_t pos = 0;

	if (e->validated_known)
		return SPF_MATCH_NO;
	e->validated_known = true;
	status = e->resolver->ptr(e->resolver->arg, &e->names.ip, &names);
	if (status != DNS_SOFT)
		match = judge(e, status);
	for (size_t i = 0; i < SPF_HOSTS_MAX && pos < names.n; i++) {
		struct span name = span_str(names.p + pos);

		if (leads_back(e, name))
			buf_add(&e->validated, name.p, name.n + 1);
		pos += name.n + 1;
	}
	buf_free(&names);
	if (!buf_ok(&e->validated)) {
		e->memory = true;
		return SPF_MATCH_TEMPERROR;
	}
	return match == SPF_MATCH_YES ? SPF_MATCH_NO : match;
}

static bool
is_within(struct span name, struct span domain)
{
	size_t more;

	if (name.n < domain.n)
		return false;
	more = name.n - domain.n;
	return ascii_ieq(span_tail(name, more), domain) && (!more || name.p[more - 1] == '.');
}

struct span
spf_mechanism_validated(void *eval, struct span domain)
{
	struct spf_eval *e = eval;
	const enum spf_problem before = e->problem;
	struct span best = span_str("");
	int best_rank = 0;

	/* Whatever comes of it, the macro has a value. */
	(void)find_validated(e);
	e->problem = before;
	for (size_t pos = 0; pos < e->validated.n;) {
		struct span name = span_str(e->validated.p + pos);
		int rank = ascii_ieq(name, domain) ? 3 : is_within(name, domain) ? 2 : 1;

		if (rank > best_rank) {
			best = name;
			best_rank = rank;
		}
		pos += name.n + 1;
	}
	return best;
}

/* ---- mechanisms: target is a possible name where one is asked for ---- */

static enum spf_match
match_all(struct spf_eval *e, const struct spf_term *t, struct span target)
{
	(void)e;
	(void)t;
	(void)target;
	return SPF_MATCH_YES;
}

static enum spf_match
match_network(struct spf_eval *e, const struct spf_term *t, struct span target)
{
	(void)target;
	return client_is_in(e, &t->network, t) ? SPF_MATCH_YES : SPF_MATCH_NO;
}

static enum spf_match
match_a(struct spf_eval *e, const struct spf_term *t, struct span target)
{
	return match_addresses(e, target, e->names.ip.family, t);
}

static enum spf_match
match_exists(struct spf_eval *e, const struct spf_term *t, struct span target)
{
	(void)t;
	return match_addresses(e, target, IP_V4, NULL);
}

static enum spf_match
match_mx(struct spf_eval *e, const struct spf_term *t, struct span target)
{
	struct dns_mx_list list = { 0 };
	enum spf_match match = judge(e, e->resolver->mx(e->resolver->arg, target, &list));

	if (match == SPF_MATCH_YES) {
		match = list.n > SPF_HOSTS_MAX ? spf_eval_problem(e, SPF_PROBLEM_HOSTS) :
		    SPF_MATCH_NO;
		for (size_t i = 0; match == SPF_MATCH_NO && i < list.n; i++)
			if (*list.list[i].name)
				match = match_addresses(e, span_str(list.list[i].name),
				    e->names.ip.family, t);
	}
	dns_mx_free(&list);
	return match;
}

static enum spf_match
match_ptr(struct spf_eval *e, const struct spf_term *t, struct span target)
{
	enum spf_match match = find_validated(e);
	struct span name;

	(void)t;
	if (match != SPF_MATCH_NO)
		return match;
	name = spf_mechanism_validated(e, target);
	return name.n && is_within(name, target) ? SPF_MATCH_YES : SPF_MATCH_NO;
}

static enum spf_match
match_include(struct spf_eval *e, const struct spf_term *t, struct span target)
{
	enum spf_result result;

	(void)t;
	e->depth++;
	result = spf_eval_host(e, target);
	e->depth--;
	switch (result) {
	case SPF_PASS:
		return SPF_MATCH_YES;
	case SPF_TEMPERROR:
		return SPF_MATCH_TEMPERROR;
	case SPF_PERMERROR:
		return SPF_MATCH_PERMERROR;
	case SPF_NONE:
		return spf_eval_problem(e, SPF_PROBLEM_NO_RECORD);
	default:
		return SPF_MATCH_NO;
	}
}

static const struct {
	enum spf_match (*match)(struct spf_eval *e, const struct spf_term *t, struct span target);
	bool asks;		/* DNS, for its target */
} mechanisms[SPF_MECHANISMS] = {
	[SPF_ALL] = { match_all, false },
	[SPF_INCLUDE] = { match_include, true },
	[SPF_A] = { match_a, true },
	[SPF_MX] = { match_mx, true },
	[SPF_PTR] = { match_ptr, true },
	[SPF_IP4] = { match_network, false },
	[SPF_IP6] = { match_network, false },
	[SPF_EXISTS] = { match_exists, true },
};

static enum spf_match
match_target(struct spf_eval *e, const struct spf_term *t)
{
	struct buf expanded = { 0 };
	struct span target = e->names.domain;
	enum spf_match match = SPF_MATCH_NO;

	if (t->target.n) {
		spf_macro_expand_domain(t->target, &e->names, &expanded);
		target = buf_span(&expanded);
	}
	if (!buf_ok(&expanded)) {
		e->memory = true;
		match = SPF_MATCH_TEMPERROR;
	} else if (spf_mechanism_is_name(target)) {
		match = mechanisms[t->mechanism].match(e, t, target);
	} else if (t->mechanism == SPF_INCLUDE) {
		match = spf_eval_problem(e, SPF_PROBLEM_NO_RECORD);
	}
	buf_free(&expanded);
	return match;
}

enum spf_match
spf_mechanism_match(struct spf_eval *e, const struct spf_term *t)
{
	const bool outer = e->term_void;	/* of an include that this is in */
	enum spf_match match;

	if (!mechanisms[t->mechanism].asks)
		return mechanisms[t->mechanism].match(e, t, e->names.domain);
	match = spf_mechanism_count(e, t->mechanism == SPF_INCLUDE ? SPF_PROBLEM_NESTING :
	    SPF_PROBLEM_LOOKUPS);
	e->term_void = false;
	if (match == SPF_MATCH_NO)
		match = match_target(e, t);
	e->term_void = outer;
	return match;
}
