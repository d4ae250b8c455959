/* eval - a check under way, for the files that share the work: check.c (records), mechanism.c
 * (terms), text.c (what is said of it). */
#ifndef SPF_EVAL_H
#define SPF_EVAL_H

#include "lib/attr.h"
#include "spf/check.h"
#include "spf/macro.h"
#include "spf/record.h"

enum spf_problem {
	SPF_PROBLEM_NONE,
	SPF_PROBLEM_NO_RECORD,		/* include or redirect to nothing */
	SPF_PROBLEM_UNKNOWN,		/* mechanism: its name is in `problem_name` */
	SPF_PROBLEM_PARSE,
	SPF_PROBLEM_MULTIPLE,
	SPF_PROBLEM_NESTING,		/* too many lookups, the last by include or redirect */
	SPF_PROBLEM_LOOKUPS,
	SPF_PROBLEM_VOID,
	SPF_PROBLEM_HOSTS,
	SPF_PROBLEM_NO_IP
};

struct spf_budget {
	unsigned lookups, voids;
};

/* One check of one identity. */
struct spf_eval {
	const struct spf_request *request;
	const struct spf_resolver *resolver;
	bool is_helo;			/* the identity: HELO, else MAIL */
	struct span local, domain;	/* of the identity */
	struct spf_names names;		/* names.domain: whose record is read now */
	struct spf_budget record_budget, rules_budget;
	struct spf_budget *budget;	/* of whose term it is */
	bool term_void;			/* a question for this term was answered by nothing */
	unsigned depth;			/* includes that are open */
	bool by_policy;			/* our own rules or guess decided */
	bool memory;
	enum spf_problem problem;
	struct buf problem_name;
	struct buf validated;		/* names of the client that are true, each with NUL */
	bool validated_known;
	struct buf explanation;		/* by the domain; empty: it gave none */
};

/* What became of a question or a term. */
enum spf_match {
	SPF_MATCH_NO, SPF_MATCH_YES, SPF_MATCH_TEMPERROR, SPF_MATCH_PERMERROR
};

/* ---- check.c ---- */

/* check_host() of RFC 7208 for another domain in the same check. */
enum spf_result spf_eval_host(struct spf_eval *e, struct span domain);
/* PERMERROR for this reason. */
enum spf_match spf_eval_problem(struct spf_eval *e, enum spf_problem problem);

/* ---- mechanism.c ---- */

enum spf_match spf_mechanism_match(struct spf_eval *e, const struct spf_term *term);
/* Counts a term that needs DNS: NO, or PERMERROR for one too many. */
enum spf_match spf_mechanism_count(struct spf_eval *e, enum spf_problem if_too_many);
/* For macro p: the client's name within `domain` if there is one, else any, else empty. */
struct span spf_mechanism_validated(void *eval, struct span domain);
/* May there be a domain of this name in DNS?  Not with letters beyond US-ASCII: domains have come
 * as A-labels, and what a local part brings into a name matches nothing (RFC 8616, 4). */
bool spf_mechanism_is_name(struct span domain);

/* ---- text.c ---- */

/* The body of a Received-SPF field, in answer->text. */
void spf_text_header(const struct spf_eval *e, struct spf_answer *answer);
/* Why it did not pass, in answer->explanation: the domain's words, the administrator's, ours. */
void spf_text_explanation(struct spf_eval *e, struct spf_answer *answer);

#endif
