/* rcptcheck - does the sender look right, does the recipient exist? */
#include "smtp/rcptcheck.h"

#include <poll.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/num.h"
#include "mail/addr5321.h"
#include "mail/rcptask.h"
#include "smtp/checks.h"
#include "smtp/dnsask.h"
#include "smtp/session.h"

#define CHECKER QMAIL_HOME "/bin/qmail-chkuser"
#define DOUBLE_BOUNCE "#@[]"

/* Everything that is said: to the log, in two words, and to the client. */
enum outcome {
	SENDER_ACCEPTED,
	SENDER_ANY,
	SENDER_NULL,
	SENDER_DOUBLE_BOUNCE,
	SENDER_FORMAT,
	SENDER_MX,
	SENDER_DNS,
	SENDER_MUST_AUTH,
	RCPT_FOUND,
	RCPT_ANY_DOMAIN,
	RCPT_ANY_HERE,
	RCPT_RELAYED,
	RCPT_NOT_RELAYED,
	RCPT_NONE,
	RCPT_FORMAT,
	RCPT_NO_DOMAIN,
	RCPT_MX,
	RCPT_DNS,
	RCPT_FULL,
	RCPT_TROUBLE,
	RCPT_MANY,
	RCPT_MANY_WRONG,
	RCPT_INTRUDED
};

enum {
	WRONG = 1,		/* the client's mistake: more of them take longer */
	BAD = 2			/* counts for brtlimit */
};

static const struct {
	const char *what, *detail;	/* of the log line */
	const char *reply;		/* NULL: accepted */
	unsigned flags;
} outcomes[] = {
	[SENDER_ACCEPTED] = { "accepted sender", "sender accepted", NULL, 0 },
	[SENDER_ANY] = { "accepted sender", "accepted any sender always", NULL, 0 },
	[SENDER_NULL] = { "accepted sender", "accepted null sender always", NULL, 0 },
	[SENDER_DOUBLE_BOUNCE] = { "accepted doublebounce",
	    "accepted qmail doublebounce #@[]", NULL, 0 },
	[SENDER_FORMAT] = { "rejected sender", "invalid sender address format",
	    "553 5.1.7 sorry, sender syntax not allowed (chkuser)", 0 },
	[SENDER_MX] = { "rejected sender", "invalid sender MX domain",
	    "550 5.1.8 sorry, can't find a valid MX for sender domain (chkuser)", 0 },
	[SENDER_DNS] = { "rejected sender", "temporary DNS problem",
	    "451 4.4.0 DNS temporary failure (chkuser)", 0 },
	[SENDER_MUST_AUTH] = { "must auth", "sender not authenticated/authorized",
	    "530 5.7.0 Authentication required (chkuser)", 0 },
	[RCPT_FOUND] = { "accepted rcpt", "found existing recipient", NULL, 0 },
	[RCPT_ANY_DOMAIN] = { "accepted any rcpt",
	    "accepted any recipient for any rcpt domain", NULL, 0 },
	[RCPT_ANY_HERE] = { "accepted any rcpt", "accepted any recipient for this domain", NULL,
	    0 },
	[RCPT_RELAYED] = { "relaying rcpt", "client allowed to relay", NULL, 0 },
	[RCPT_NOT_RELAYED] = { "rejected relaying", "client not allowed to relay",
	    "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts (chkuser)", WRONG },
	[RCPT_NONE] = { "rejected rcpt", "not existing recipient",
	    "550 5.1.1 sorry, no mailbox here by that name (chkuser)", WRONG | BAD },
	[RCPT_FORMAT] = { "rejected rcpt", "invalid rcpt address format",
	    "553 5.1.3 sorry, rcpt syntax not allowed (chkuser)", WRONG | BAD },
	[RCPT_NO_DOMAIN] = { "rejected rcpt", "invalid rcpt address format",
	    "550 5.1.2 sorry, you must specify a domain (chkuser)", WRONG | BAD },
	[RCPT_MX] = { "rejected rcpt", "invalid rcpt MX domain",
	    "550 5.1.2 sorry, can't find a valid MX for rcpt domain (chkuser)", WRONG | BAD },
	[RCPT_DNS] = { "rejected rcpt", "temporary DNS problem",
	    "451 4.4.0 DNS temporary failure (chkuser)", 0 },
	[RCPT_FULL] = { "mbx overquota", "rcpt mailbox is overquota",
	    "552 5.2.2 sorry, recipient mailbox is full (chkuser)", 0 },
	[RCPT_TROUBLE] = { "no auth resource", "no auth resource available",
	    "451 4.3.0 system temporary unavailable, try again later (chkuser)", 0 },
	[RCPT_MANY] = { "intrusion threshold", "max number of allowed rcpt",
	    "550 5.5.3 sorry, reached maximum number of recipients allowed in one session "
	    "(chkuser)", BAD },
	[RCPT_MANY_WRONG] = { "intrusion threshold", "max number of allowed invalid rcpt",
	    "550 5.5.3 sorry, you are violating our security policies (chkuser)", BAD },
	[RCPT_INTRUDED] = { "rejected intrusion",
	    "rcpt ignored, session over intrusion threshold",
	    "550 5.7.1 sorry, you are violating our security policies (chkuser)", BAD },
};

/* ---- switches ---- */

static bool
is_on(void)
{
	const char *start = getenv("CHKUSER_START");

	return start && (ascii_ieq(span_str(start), span_str("ALWAYS")) ||
	    ascii_ieq(span_str(start), span_str("DOMAIN")));
}

/* RELAYCLIENT, or the variable that `name` names, is there. */
static bool
is_exempt(const struct session *s, const char *name)
{
	if (!name || ascii_ieq(span_str(name), span_str("RELAYCLIENT")))
		return s->relay_client;
	return *name && getenv(name);
}

/* 0 for what is no number or not set. */
static uint64_t
limit(const char *text, uint64_t max)
{
	uint64_t value = 0;

	(void)num_lead_u64(span_str(text), max, &value);
	return value;
}

/* ---- the log ---- */

static void
add_clean(struct buf *line, struct span text)
{
	size_t start = line->n;

	log_add_visible(line, text, false, '?');
	for (size_t i = start; buf_ok(line) && i < line->n; i++)
		if (line->p[i] == ':' || line->p[i] == '<' || line->p[i] == '>')
			line->p[i] = '?';
}

static void
add_remote(struct buf *line, const struct session *s)
{
	const struct trace_hop *peer = &s->conf->intake.peer;

	buf_adds(line, "> remote <");
	if (!span_eq(buf_span(&s->hello), peer->remote_host))
		add_clean(line, buf_span(&s->hello));
	buf_addc(line, ':');
	add_clean(line, peer->remote_host);
	buf_addc(line, ':');
	log_add_visible(line, peer->remote_ip, false, '?');	/* colons are part of IPv6 */
}

static void
log_outcome(const struct session *s, enum outcome o, struct span recipient)
{
	struct buf line = BUF_CAP(RCPTCHECK_LOG_MAX);

	if (io_same_file(2, 0) || io_same_file(2, 1))
		return;
	buf_adds(&line, "CHKUSER ");
	buf_adds(&line, outcomes[o].what);
	buf_adds(&line, ": from <");
	add_clean(&line, buf_span(&s->sender));
	buf_addc(&line, ':');
	add_clean(&line, s->user.n ? buf_span(&s->user) : s->remote_info);
	buf_addc(&line, ':');
	add_clean(&line, span_str(getenv("CHKUSER_IDENTIFY")));
	add_remote(&line, s);
	buf_adds(&line, "> rcpt <");
	add_clean(&line, recipient);
	buf_adds(&line, "> : ");
	buf_adds(&line, outcomes[o].detail);
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		(void)!io_write(2, line.p, line.n);
	buf_free(&line);
}

/* A client that guesses names gets slower. */
static void
delay(const struct rcptcheck *r)
{
	uint64_t ms = RCPTCHECK_DELAY_MS + (r->wrong - 1) * RCPTCHECK_DELAY_MORE_MS;

	(void)poll(NULL, 0, (int)(ms < RCPTCHECK_DELAY_MAX_MS ? ms : RCPTCHECK_DELAY_MAX_MS));
}

static enum reply
conclude(struct session *s, enum outcome o, struct span recipient)
{
	log_outcome(s, o, recipient);
	if (!outcomes[o].reply)
		return REPLY_OK;
	if (outcomes[o].flags & BAD)
		s->bad_recipients++;
	if (outcomes[o].flags & WRONG) {
		s->rcptcheck.wrong++;
		delay(&s->rcptcheck);
	}
	return checks_say(s, span_str(outcomes[o].reply));
}

/* ---- addresses ---- */

bool
rcptcheck_is_address(struct span address)
{
	struct span domain = addr5321_domain(address);
	bool dot = false;
	struct ip ip;

	if (domain.n + 1 >= address.n)		/* nothing before the @, or no @ */
		return false;
	if (ip_parse_literal(domain, &ip))
		return true;
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i], before = i ? domain.p[i - 1] : '.';
		bool edge = before == '.' || i + 1 == domain.n || domain.p[i + 1] == '.';

		if (!ascii_isalnum(c) && c != '.' && c != '-')
			return false;
		if ((c == '.' || c == '-') && edge)
			return false;
		dot = dot || c == '.';
	}
	return dot && domain.n >= 4;
}

/* ---- the sender ---- */

static enum outcome
judge_sender(struct session *s)
{
	struct span sender = buf_span(&s->sender);

	if (!sender.n)
		return SENDER_NULL;
	if (span_eq(sender, span_str(DOUBLE_BOUNCE)) && getenv("CHKUSER_DOUBLEBOUNCE"))
		return SENDER_DOUBLE_BOUNCE;
	if (is_exempt(s, getenv("CHKUSER_SENDER_NOCHECK_VARIABLE")))
		return SENDER_ANY;
	if (getenv("CHKUSER_MUSTAUTH") && !s->relay_client)
		return SENDER_MUST_AUTH;
	if (!getenv("CHKUSER_SENDER_FORMAT_NOCHECK") && !rcptcheck_is_address(sender))
		return SENDER_FORMAT;
	if (getenv("CHKUSER_SENDER_MX_NOCHECK"))
		return SENDER_ACCEPTED;
	switch (dnsask_takes_mail(&s->dnsask, addr5321_domain(sender))) {
	case DNSASK_YES:
		return SENDER_ACCEPTED;
	case DNSASK_NO:
		return SENDER_MX;
	default:
		return SENDER_DNS;
	}
}

enum reply
rcptcheck_sender(struct session *s)
{
	return is_on() ? conclude(s, judge_sender(s), span_str("")) : REPLY_OK;
}

/* ---- the recipient ---- */

static enum rcptask_answer
ask(struct session *s, const struct rcptask *q)
{
	struct buf question = BUF_CAP(RCPTASK_QUESTION_MAX), answer = BUF_CAP(1);
	enum rcptask_answer verdict = RCPTASK_TROUBLE;
	char path[] = CHECKER;
	char *argv[] = { path, NULL }, *envp[] = { NULL };

	rcptask_put(&question, q);
	if (buf_ok(&question) && asker_ask(&s->rcptcheck.checker, argv, envp,
	    buf_span(&question), RCPTCHECK_ANSWER_MS, &answer) == 0 && answer.n == 1)
		verdict = rcptask_answer(answer.p[0]);
	buf_free(&question);
	buf_free(&answer);
	return verdict;
}

static enum outcome
judge_remote(struct session *s, struct span recipient)
{
	if (getenv("CHKUSER_RCPT_MX_NOCHECK"))
		return RCPT_RELAYED;
	switch (dnsask_takes_mail(&s->dnsask, addr5321_domain(recipient))) {
	case DNSASK_YES:
		return RCPT_RELAYED;
	case DNSASK_NO:
		return RCPT_MX;
	default:
		return RCPT_DNS;
	}
}

static enum outcome
judge_local(struct session *s, struct span recipient)
{
	bool domain = ascii_ieq(span_str(getenv("CHKUSER_START")), span_str("DOMAIN"));
	struct rcptask q = { .mode = domain ? RCPTASK_DOMAIN : RCPTASK_ALWAYS,
		.percent = (unsigned)limit(getenv("CHKUSER_MBXQUOTA"), RCPTASK_PERCENT_MAX),
		.address = recipient };

	switch (ask(s, &q)) {
	case RCPTASK_EXISTS:
		return RCPT_FOUND;
	case RCPTASK_ANY:
		return RCPT_ANY_HERE;
	case RCPTASK_NONE:
		return RCPT_NONE;
	case RCPTASK_FULL:
		return RCPT_FULL;
	default:
		return RCPT_TROUBLE;
	}
}

static enum outcome
over_limits(struct session *s)
{
	struct rcptcheck *r = &s->rcptcheck;
	uint64_t recipients = limit(getenv("CHKUSER_RCPTLIMIT"), UINT64_MAX);
	uint64_t wrong = limit(getenv("CHKUSER_WRONGRCPTLIMIT"), UINT64_MAX);

	if (r->intruded)
		return RCPT_INTRUDED;
	r->intruded = (recipients && r->recipients >= recipients) || (wrong && r->wrong >= wrong);
	if (!r->intruded)
		return RCPT_FOUND;
	return wrong && r->wrong >= wrong ? RCPT_MANY_WRONG : RCPT_MANY;
}

static bool
is_ours(const struct session *s, struct span recipient)
{
	return relay_check(&s->conf->intake.relay, recipient) != RELAY_REFUSED;
}

static enum outcome
judge_recipient(struct session *s, struct span recipient)
{
	enum outcome o = RCPT_FOUND;

	if (is_exempt(s, getenv("CHKUSER_DISABLE_VARIABLE")))
		return is_ours(s, recipient) ? RCPT_ANY_DOMAIN : RCPT_RELAYED;
	if ((o = over_limits(s)) != RCPT_FOUND)
		return o;
	if (span_chr(recipient, '@') == recipient.n) {
		/* RFC 5321, 4.5.1 */
		if (!ascii_ieq(recipient, span_str("postmaster")))
			return RCPT_NO_DOMAIN;
	} else if (!getenv("CHKUSER_RCPT_FORMAT_NOCHECK") && !rcptcheck_is_address(recipient)) {
		return RCPT_FORMAT;
	}
	return is_ours(s, recipient) ? judge_local(s, recipient) : judge_remote(s, recipient);
}

enum reply
rcptcheck_recipient(struct session *s, struct span recipient)
{
	enum outcome o;
	enum reply r;

	if (!is_on())
		return REPLY_OK;
	o = judge_recipient(s, recipient);
	r = conclude(s, o, recipient);
	if (r == REPLY_OK)
		s->rcptcheck.recipients++;
	return r;
}

enum reply
rcptcheck_no_relay(struct session *s, struct span recipient)
{
	enum outcome o;

	if (!is_on())
		return REPLY_NOT_OURS;
	o = over_limits(s);
	return conclude(s, o == RCPT_FOUND ? RCPT_NOT_RELAYED : o, recipient);
}
