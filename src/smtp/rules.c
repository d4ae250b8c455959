/* rules - small limits and tests of qmail-smtpd. */
#include "smtp/rules.h"

#include <stdlib.h>
#include <time.h>

#include "lib/num.h"
#include "lib/utf8.h"
#include "mail/addr5321.h"
#include "net/ip.h"
#include "smtp/dnsask.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

#define TARPIT_DELAY_S 5	/* where only the count is given */
#define DOUBLE_BOUNCE "#@[]"

/* ---- reading ---- */

/* SMTPD_GREETDELAY, GREETDELAY (negative: talkers are dropped), greetdelay: the first there is. */
static int
read_greeting(struct rules *r, const struct ctlnames *names)
{
	const char *text = getenv("SMTPD_GREETDELAY");
	uint64_t drop = 0;

	if (!text && (text = getenv("GREETDELAY")) && *text == '-') {
		r->drop_talkers = true;
		text++;
	}
	if (text)
		(void)num_lead_u64(span_str(text), RULES_DELAY_MAX_S, &r->greet_delay_s);
	else if (smtpconf_number(names, NULL, "greetdelay", RULES_DELAY_MAX_S,
	    &r->greet_delay_s) == -1)
		return -1;
	(void)!smtpconf_number(names, "DROP_PRE_GREET", NULL, 1, &drop);
	r->drop_talkers = r->drop_talkers || drop;
	return 0;
}

/* Two names each: control/maxrcpt, control/maxrecipients; the first that is there. */
static int
read_recipient_limits(struct rules *r, const struct ctlnames *names)
{
	uint64_t other = 0;

	if (getenv("DISABLE_MAXRCPT"))
		return smtpconf_number(names, "BRTLIMIT", "brtlimit", UINT64_MAX,
		    &r->max_bad_recipients);
	if (smtpconf_number(names, "MAXRECIPIENTS", "maxrecipients", UINT64_MAX, &other) == -1)
		return -1;
	r->max_recipients = other;
	if (smtpconf_number(names, "MAXRCPT", "maxrcpt", UINT64_MAX, &r->max_recipients) == -1)
		return -1;
	return smtpconf_number(names, "BRTLIMIT", "brtlimit", UINT64_MAX,
	    &r->max_bad_recipients);
}

static int
read_tarpit(struct rules *r, const struct ctlnames *names)
{
	r->tarpit_delay_s = TARPIT_DELAY_S;
	if (smtpconf_number(names, "TARPITCOUNT", "tarpitcount", UINT64_MAX,
	    &r->tarpit_count) == -1)
		return -1;
	return smtpconf_number(names, "TARPITDELAY", "tarpitdelay", RULES_DELAY_MAX_S,
	    &r->tarpit_delay_s);
}

static int
read_flags(struct rules *r, const struct ctlnames *names)
{
	const char *hide = getenv("HIDEIP"), *utf8 = getenv("SMTPUTF8");
	uint64_t null = 0, relay = 0, offer = 0, bare = 0;

	if (smtpconf_number(names, "REJECTNULLSENDERS", "rejectnullsenders", 1, &null) == -1 ||
	    smtpconf_number(names, "RELAYREJ", "rejectrelaytest", 1, &relay) == -1 ||
	    smtpconf_number(names, NULL, "hideip", 2, &r->hide_client) == -1 ||
	    smtpconf_number(names, NULL, "smtputf8", 1, &offer) == -1 ||
	    smtpconf_number(names, NULL, "barecr", 1, &bare) == -1 ||
	    smtpconf_number(names, "MFCHECK", "mfcheck", 3, &r->check_domain) == -1)
		return -1;
	r->no_null_senders = null;
	r->no_relay_characters = relay;
	r->no_bare_cr = bare;
	if (hide)
		r->hide_client = *hide == '2' ? 2 : 1;
	r->utf8 = utf8 ? *utf8 != '\0' : offer != 0;
	if (!r->check_domain && getenv("MFDNSCHECK"))
		r->check_domain = 1;
	return 0;
}

int
rules_read(struct rules *r, const struct ctlnames *names)
{
	return read_greeting(r, names) == -1 || read_recipient_limits(r, names) == -1 ||
	    read_tarpit(r, names) == -1 || read_flags(r, names) == -1 ? -1 : 0;
}

/* ---- delays ---- */

static void
sleep_until(int64_t then)
{
	int64_t ms = then - deadline_now();
	const struct timespec delay = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000 * 1000 };

	if (ms > 0)
		(void)nanosleep(&delay, NULL);
}

static void
log_talker(const struct session *s, const char *what)
{
	struct buf line = { 0 };

	buf_adds(&line, "GREETDELAY from ");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	buf_adds(&line, what);
	smtplog_put(&line);
}

/* What it has said is kept: a client that pipelines is answered in order. */
static enum reply
watch_until(struct session *s, int64_t then)
{
	int64_t deadline = s->in.deadline;
	enum io_status status;

	s->in.deadline = then;
	status = io_fill(&s->in);
	s->in.deadline = deadline;
	if (status == IO_TIMEOUT)
		return REPLY_OK;
	log_talker(s, status == IO_OK ? ": client sent data before greeting" :
	    ": client disconnected");
	if (status != IO_OK)
		return REPLY_LOST;
	if (s->conf->rules.drop_talkers)
		return REPLY_TALKER;
	sleep_until(then);
	return REPLY_OK;
}

enum reply
rules_greet_delay(struct session *s, struct buf *none)
{
	uint64_t delay_s = s->conf->rules.greet_delay_s;
	struct span ip = s->conf->intake.peer.remote_ip;
	struct buf line = { 0 };
	struct ip parsed;

	(void)none;
	if (!delay_s || (ip_parse(ip, &parsed) && ip_is_loopback(&parsed)))
		return REPLY_OK;
	buf_adds(&line, "GREETDELAY: ");
	buf_addnum(&line, delay_s);
	buf_addc(&line, 's');
	smtplog_put(&line);
	return watch_until(s, deadline_after((int64_t)delay_s * 1000));
}

enum reply
rules_tarpit(struct session *s, struct buf *recipient)
{
	const struct rules *r = &s->conf->rules;

	(void)recipient;
	if (!r->tarpit_count || s->recipient_count < r->tarpit_count)
		return REPLY_OK;
	session_speak(s);
	if (s->out.status != IO_OK)
		return REPLY_LOST;
	sleep_until(deadline_after((int64_t)r->tarpit_delay_s * 1000));
	return REPLY_OK;
}

/* ---- addresses ---- */

enum reply
rules_utf8(const struct session *s, const struct buf *address)
{
	size_t ascii = 0;

	if (!s->conf->rules.utf8)
		return REPLY_OK;
	while (ascii < address->n && (unsigned char)address->p[ascii] < 128)
		ascii++;
	if (ascii == address->n)
		return REPLY_OK;
	if (!s->utf8)
		return REPLY_NOT_ASCII;
	return utf8_valid(buf_span(address)) ? REPLY_OK : REPLY_NOT_UTF8;
}

enum reply
rules_null_sender(struct session *s, struct buf *sender)
{
	return s->conf->rules.no_null_senders && !sender->n ? REPLY_NULL_SENDER : REPLY_OK;
}

/* `MFCHECK fail [192.0.2.1] nonesuch.example` */
static void
log_domain(const struct session *s, const char *what, struct span domain)
{
	struct buf line = { 0 };

	buf_adds(&line, "MFCHECK ");
	buf_adds(&line, what);
	buf_adds(&line, " [");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	buf_adds(&line, "] ");
	smtplog_add(&line, domain);
	smtplog_put(&line);
}

enum reply
rules_sender_domain(struct session *s, struct buf *sender)
{
	uint64_t level = s->conf->rules.check_domain;
	struct span domain = addr5321_domain(buf_span(sender));

	if (!level || !sender->n || span_eq(buf_span(sender), span_str(DOUBLE_BOUNCE)) ||
	    !domain.n || domain.p[0] == '[')
		return REPLY_OK;
	switch (dnsask_takes_mail(&s->dnsask, domain)) {
	case DNSASK_YES:
		if (level > 2)
			log_domain(s, "pass", domain);
		return REPLY_OK;
	case DNSASK_NO:
		if (level > 1)
			log_domain(s, "fail", domain);
		return REPLY_NO_SENDER_DOMAIN;
	default:
		return REPLY_DNS_TROUBLE;
	}
}

/* ---- recipients ---- */

/* user%host@us, host!user@us, user@host@us: how open relays were looked for. */
enum reply
rules_relay_characters(struct session *s, struct buf *recipient)
{
	struct span local = addr5321_local(buf_span(recipient));

	if (!s->conf->rules.no_relay_characters)
		return REPLY_OK;
	for (size_t i = 0; i < local.n; i++)
		if (local.p[i] == '@' || local.p[i] == '%' || local.p[i] == '!')
			return REPLY_RELAY_CHARACTERS;
	return REPLY_OK;
}

enum reply
rules_recipient_count(struct session *s, struct buf *recipient)
{
	uint64_t max = s->conf->rules.max_recipients;

	(void)recipient;
	return max && s->recipient_count >= max ? REPLY_MAX_RECIPIENTS : REPLY_OK;
}

enum reply
rules_bad_recipients(struct session *s, struct buf *recipient)
{
	uint64_t max = s->conf->rules.max_bad_recipients;
	struct buf line = { 0 };

	(void)recipient;
	if (!max || s->bad_recipients < max)
		return REPLY_OK;
	buf_adds(&line, "badrcptto: excessive rcptto violations hanging up on ");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	smtplog_put(&line);
	return REPLY_BAD_RECIPIENTS;
}
