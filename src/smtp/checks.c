/* checks - what is asked before a client, its senders and its recipients are accepted.
 * The tables decide which of several reasons a client sees: qmail-policy(5) has the same order, and
 * tests/prog/order.t sees to that. */
#include "smtp/checks.h"

#include "lib/log.h"
#include "smtp/dnsbl.h"
#include "smtp/greylist.h"
#include "smtp/helocheck.h"
#include "smtp/mailpolicy.h"
#include "smtp/policy.h"
#include "smtp/rcptcheck.h"
#include "smtp/rcptprog.h"
#include "smtp/rules.h"
#include "smtp/s25r.h"
#include "smtp/spfcheck.h"
#include "smtp/submission.h"
#include "smtp/validrcpt.h"

enum {
	STRANGERS = 1,		/* not asked about clients that may relay */
	BAD_RECIPIENT = 2,	/* a refusal for good counts for brtlimit */
};

struct check {
	const char *name;	/* in the log; as in qmail-policy(5) */
	enum reply (*run)(struct session *s, struct buf *address);
	unsigned flags;
};

static enum reply
check_sender_format(struct session *s, struct buf *sender)
{
	(void)sender;
	return rcptcheck_sender(s);
}

static enum reply
check_own_sender(struct session *s, struct buf *sender)
{
	(void)sender;
	return submission_sender(s);
}

static enum reply
check_existence(struct session *s, struct buf *recipient)
{
	return rcptcheck_recipient(s, buf_span(recipient));
}

static enum reply
check_spf(struct session *s, struct buf *sender)
{
	(void)sender;
	return spfcheck_mail(s);
}

static enum reply
refuse_spf(struct session *s, struct buf *recipient)
{
	(void)recipient;
	return spfcheck_recipient(s);
}

#define END { NULL, NULL, 0 }

static const struct check connect_checks[] = {
	{ "greetdelay", rules_greet_delay, STRANGERS },
	{ "plug-ins", plugins_connection, 0 },
	END
};

static const struct check helo_checks[] = {
	{ "plug-ins", plugins_helo, 0 },
	{ "helodnscheck", helocheck_run, 0 },
	{ "badhelo", lists_remember_helo, 0 },
	END
};

static const struct check mail_checks[] = {
	{ "submitsenders", check_own_sender, 0 },
	{ "rejectnullsenders", rules_null_sender, 0 },
	{ "plug-ins", plugins_mail, 0 },
	{ "chkuser", check_sender_format, 0 },
	{ "badmailfrom", lists_remember_sender, 0 },
	{ "mfcheck", rules_sender_domain, STRANGERS },
	{ "spf", check_spf, STRANGERS },
	END
};

static const struct check rcpt_checks[] = {
	{ "rejectrelaytest", rules_relay_characters, 0 },
	{ "badhelo", lists_helo, 0 },
	{ "badmailfrom", lists_sender, 0 },
	{ "maxrcpt", rules_recipient_count, 0 },
	{ "plug-ins", plugins_rcpt, 0 },
	{ "brtlimit", rules_bad_recipients, 0 },
	{ "badrcptto", lists_recipient, BAD_RECIPIENT },
	{ "rcpthosts", policy_relay, 0 },
	{ "spf", refuse_spf, STRANGERS },
	{ "dnsbl", dnsbl_check, STRANGERS },
	{ "s25r", s25r_check, STRANGERS },
	{ "validrcptto", validrcpt_find, STRANGERS | BAD_RECIPIENT },
	{ "chkuser", check_existence, 0 },	/* it knows itself what counts */
	{ "rcptcheck", rcptprog_ask, 0 },
	{ "plug-ins", plugins_pass, 0 },
	{ "policy", mailpolicy_check, 0 },
	{ "greylist", greylist_check, STRANGERS },
	{ "tarpit", rules_tarpit, STRANGERS },
	END
};

static const struct check auth_checks[] = {
	{ "plug-ins", plugins_auth, 0 },
	END
};

static const struct check data_checks[] = {
	{ "plug-ins", plugins_data, 0 },
	END
};

static const struct check *const stages[CHECKS_STAGES] = {
	[CHECKS_CONNECT] = connect_checks,
	[CHECKS_HELO] = helo_checks,
	[CHECKS_MAIL] = mail_checks,
	[CHECKS_RCPT] = rcpt_checks,
	[CHECKS_AUTH] = auth_checks,
	[CHECKS_DATA] = data_checks,
};

static bool
is_for_good(enum reply r)
{
	const char *text = reply_text(r);

	return text && *text == '5';
}

enum reply
checks_run(struct session *s, enum checks_stage stage, struct buf *address)
{
	for (const struct check *c = stages[stage]; c->name; c++) {
		enum reply r = REPLY_OK;

		if (!s->relay_client || !(c->flags & STRANGERS))
			r = c->run(s, address);
		if (s->plugins.skip) {
			s->plugins.skip = false;
			return REPLY_OK;
		}
		if (r == REPLY_OK)
			continue;
		s->refused_by = c->name;
		if (c->flags & BAD_RECIPIENT && is_for_good(r))
			s->bad_recipients++;
		return r;
	}
	return REPLY_OK;
}

enum reply
checks_say(struct session *s, struct span text)
{
	buf_reset(&s->said);
	log_add_visible(&s->said, span_head(text, CHECKS_TEXT_MAX), true, '?');
	if (!buf_ok(&s->said))
		return REPLY_MEMORY;
	io_putspan(&s->out, buf_span(&s->said));
	io_puts(&s->out, "\r\n");
	return REPLY_WRITTEN_ERROR;
}

enum reply
checks_end(struct session *s, struct span text)
{
	enum reply r = checks_say(s, text);

	return r == REPLY_WRITTEN_ERROR ? REPLY_WRITTEN_END : r;
}
