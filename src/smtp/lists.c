/* lists - names, senders and recipients that an administrator does not want. */
#include "smtp/lists.h"

#include <stdlib.h>

#include "lib/num.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

enum about { ABOUT_HELO, ABOUT_SENDER, ABOUT_RECIPIENT };

/* Who is not asked for the list. */
enum exempt {
	EXEMPT_NOBODY,
	EXEMPT_RELAY,		/* clients that may relay */
	EXEMPT_NAMED,		/* clients with a reverse name */
	EXEMPT_USERS		/* clients that have authenticated */
};

static const struct list {
	const char *file, *old_file;	/* old name, or NULL: both are read */
	enum patterns_syntax syntax;
	enum about about;
	enum exempt exempt;
	const char *off;		/* a variable: nobody is asked if it is set */
} table[LISTS_COUNT] = {
	[LISTS_HELO] = { "badhelo", NULL, PATTERNS_EXPRESSION, ABOUT_HELO, EXEMPT_NOBODY,
	    "NOBADHELO" },
	[LISTS_HELO_STRANGERS] = { "badhelonorelay", NULL, PATTERNS_EXPRESSION, ABOUT_HELO,
	    EXEMPT_RELAY, "NOBADHELO" },
	[LISTS_SENDER] = { "badmailfrom", NULL, PATTERNS_MIXED, ABOUT_SENDER, EXEMPT_NOBODY,
	    "DISABLE_BADMAILFROM" },
	[LISTS_SENDER_STRANGERS] = { "badmailfromnorelay", NULL, PATTERNS_MIXED, ABOUT_SENDER,
	    EXEMPT_RELAY, "DISABLE_BADMAILFROM" },
	[LISTS_SENDER_NAMELESS] = { "badmailfromunknown", "badmailfrom-unknown", PATTERNS_PLAIN,
	    ABOUT_SENDER, EXEMPT_NAMED, "DISABLE_BADMAILFROM" },
	[LISTS_SENDER_WILD] = { "badmailpatterns", NULL, PATTERNS_WILDMAT, ABOUT_SENDER,
	    EXEMPT_NOBODY, "DISABLE_BADMAILFROM" },
	[LISTS_RECIPIENT] = { "badrcptto", "badmailto", PATTERNS_MIXED, ABOUT_RECIPIENT,
	    EXEMPT_NOBODY, NULL },
	[LISTS_RECIPIENT_STRANGERS] = { "badrcpttonorelay", "badmailtonorelay", PATTERNS_MIXED,
	    ABOUT_RECIPIENT, EXEMPT_RELAY, NULL },
	[LISTS_RECIPIENT_WILD] = { "badrcptpatterns", NULL, PATTERNS_WILDMAT, ABOUT_RECIPIENT,
	    EXEMPT_USERS, NULL },
};

/* ---- reading ---- */

/* QREGEX says for all lists that mix both what their lines are. */
static enum patterns_syntax
syntax_of(const struct list *l)
{
	const char *told = getenv("QREGEX");
	uint64_t value = 0;

	if (l->syntax != PATTERNS_MIXED || !told)
		return l->syntax;
	(void)num_lead_u64(span_str(told), 1, &value);
	return value ? PATTERNS_EXPRESSION : PATTERNS_PLAIN;
}

int
lists_read(struct lists *lists, const struct ctlnames *names, struct buf *complaints)
{
	lists->log_pattern = getenv("LOGREGEX") != NULL;
	for (size_t i = 0; i < LISTS_COUNT; i++) {
		const struct list *l = &table[i];
		struct patterns *p = &lists->of[i];

		if (l->off && getenv(l->off))
			continue;
		if (patterns_read(p, names, l->file, syntax_of(l), complaints) == -1 ||
		    (l->old_file &&
		    patterns_read(p, names, l->old_file, syntax_of(l), complaints) == -1) ||
		    !patterns_finish(p))
			return -1;
	}
	return 0;
}

void
lists_free(struct lists *lists)
{
	for (size_t i = 0; i < LISTS_COUNT; i++)
		patterns_free(&lists->of[i]);
}

/* ---- finding ---- */

static enum reply
find(const struct session *s, enum about about, struct span subject, struct lists_hits *hits)
{
	const struct lists *lists = &s->conf->lists;

	for (size_t i = 0; i < LISTS_COUNT; i++) {
		enum patterns_status found = PATTERNS_NO;

		if (table[i].about == about)
			found = patterns_find(&lists->of[i], subject, &hits->line[i],
			    &hits->plain[i]);
		if (found == PATTERNS_MEMORY)
			return REPLY_MEMORY;
		hits->on[i] = found == PATTERNS_HIT;
	}
	return REPLY_OK;
}

enum reply
lists_remember_helo(struct session *s, struct buf *helo)
{
	return find(s, ABOUT_HELO, buf_span(helo), &s->helo_hits);
}

enum reply
lists_remember_sender(struct session *s, struct buf *sender)
{
	s->sender_hits = (struct lists_hits){ 0 };
	return sender->n ? find(s, ABOUT_SENDER, buf_span(sender), &s->sender_hits) : REPLY_OK;
}

/* ---- refusing ---- */

static bool
is_exempt(const struct session *s, enum exempt who)
{
	struct span host = s->conf->intake.peer.remote_host;

	switch (who) {
	case EXEMPT_RELAY:
		return s->relay_client != NULL;
	case EXEMPT_NAMED:
		return !span_eq(host, span_str("unknown"));
	case EXEMPT_USERS:
		return s->user.n > 0;
	default:
		return false;
	}
}

/* `badhelo: <name> at 192.0.2.1`, and the pattern if LOGREGEX is set.  What plain qmail refuses it
 * does not log. */
static void
put_log(const struct session *s, const char *what, struct span subject, struct span line,
    bool plain)
{
	struct buf text = { 0 };

	if (plain && !s->conf->lists.log_pattern)
		return;
	buf_adds(&text, what);
	buf_adds(&text, ": <");
	smtplog_add(&text, subject);
	buf_adds(&text, "> at ");
	smtplog_add(&text, s->conf->intake.peer.remote_ip);
	if (s->conf->lists.log_pattern) {
		buf_adds(&text, " matches pattern: ");
		smtplog_add(&text, line);
	}
	smtplog_put(&text);
}

static enum reply
refuse(const struct session *s, enum about about, struct span subject,
    const struct lists_hits *hits)
{
	static const struct {
		const char *log;
		enum reply plain, pattern;
	} words[] = {
		[ABOUT_HELO] = { "badhelo", REPLY_BAD_HELO, REPLY_BAD_HELO },
		[ABOUT_SENDER] = { "badmailfrom", REPLY_BAD_SENDER, REPLY_DENIED_SENDER },
		[ABOUT_RECIPIENT] = { "badrcptto", REPLY_DENIED_RECIPIENT,
		    REPLY_DENIED_RECIPIENT },
	};

	for (size_t i = 0; i < LISTS_COUNT; i++) {
		if (!hits->on[i] || is_exempt(s, table[i].exempt))
			continue;
		put_log(s, words[about].log, subject, hits->line[i], hits->plain[i]);
		return hits->plain[i] ? words[about].plain : words[about].pattern;
	}
	return REPLY_OK;
}

enum reply
lists_helo(struct session *s, struct buf *recipient)
{
	(void)recipient;
	return s->said_hello ?
	    refuse(s, ABOUT_HELO, buf_span(&s->hello), &s->helo_hits) : REPLY_OK;
}

enum reply
lists_sender(struct session *s, struct buf *recipient)
{
	(void)recipient;
	return refuse(s, ABOUT_SENDER, buf_span(&s->sender), &s->sender_hits);
}

enum reply
lists_recipient(struct session *s, struct buf *recipient)
{
	struct lists_hits hits = { 0 };
	enum reply r = find(s, ABOUT_RECIPIENT, buf_span(recipient), &hits);

	return r == REPLY_OK ? refuse(s, ABOUT_RECIPIENT, buf_span(recipient), &hits) : r;
}
