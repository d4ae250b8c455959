/* spfcheck - what a session does about SPF. */
#include "smtp/spfcheck.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/report.h"
#include "smtp/checks.h"
#include "smtp/session.h"
#include "smtp/smtpconf.h"

#define LEVEL_TRY_LATER 2	/* from here on a temperror is answered by 451 */
#define REPLY_TEXT ((size_t)450)	/* bytes of text in one line of a reply */

/* From which level on a result is refused. */
static const unsigned refused_from[SPF_RESULTS] = {
	[SPF_FAIL] = 3,
	[SPF_SOFTFAIL] = 4,
	[SPF_NEUTRAL] = 5,
	[SPF_NONE] = 6,
	[SPF_PERMERROR] = 6,
	[SPF_TEMPERROR] = SPFCHECK_LEVEL_TOP + 1,
	[SPF_PASS] = SPFCHECK_LEVEL_TOP + 1,
};

/* The number of a variable, of the next one, of the file. */
static enum reply
read_level(struct spfcheck *c, const struct ctlnames *names)
{
	const char *variable = getenv("SPFBEHAVIOR") || !getenv("SPF") ? "SPFBEHAVIOR" : "SPF";
	uint64_t level = 0;

	if (c->level_known)
		return REPLY_OK;
	if (smtpconf_number(names, variable, "spfbehavior", SPFCHECK_LEVEL_TOP, &level) == -1)
		return REPLY_CONTROLS;
	c->level = (unsigned)level;
	c->level_known = true;
	return REPLY_OK;
}

static void
log_result(const struct spfcheck *c)
{
	uint64_t on = 0;

	if (smtpconf_number(NULL, "SPF_LOG", NULL, UINT64_MAX, &on) == 0 && on &&
	    !io_same_file(1, 2))
		report_line(2, "qmail-smtpd[%d]: Received-SPF: %s", (int)getpid(),
		    buf_str(&c->text));
}

/* Nobody answered: as if it had been a name server. */
static enum reply
no_answer(struct spfcheck *c)
{
	if (!io_same_file(1, 2))
		report_line(2, "qmail-smtpd: no answer from qmail-spf");
	c->result = SPF_TEMPERROR;
	buf_reset(&c->text);
	buf_reset(&c->explanation);
	buf_adds(&c->text, "temperror (no answer from qmail-spf)");
	return buf_ok(&c->text) ? REPLY_OK : REPLY_MEMORY;
}

static enum reply
ask(struct session *s)
{
	const struct trace_hop *peer = &s->conf->intake.peer;
	const struct spf_question question = { .ip = peer->remote_ip,
		.helo = buf_span(&s->hello), .sender = buf_span(&s->sender),
		.receiver = peer->local_name };
	struct spfcheck *c = &s->spf;

	session_speak(s);
	switch (spf_helper_ask(&c->helper, &question, &c->result, &c->text, &c->explanation)) {
	case SPF_LINK_OK:
		return REPLY_OK;
	case SPF_LINK_CONTROLS:
		return REPLY_CONTROLS;
	default:
		return no_answer(c);
	}
}

enum reply
spfcheck_mail(struct session *s)
{
	struct spfcheck *c = &s->spf;
	enum reply r;

	if ((r = read_level(c, &s->conf->names)) != REPLY_OK || !c->level)
		return r;
	if ((r = ask(s)) != REPLY_OK)
		return r;
	c->ran = true;
	if (setenv("SPFRESULT", spf_result_old_word(c->result), 1) == -1)
		return REPLY_MEMORY;
	log_result(c);
	return c->result == SPF_TEMPERROR && c->level >= LEVEL_TRY_LATER ? REPLY_SPF_LATER :
	    REPLY_OK;
}

/* `550 TEXT (#5.7.1)`, in as many lines as it needs. */
static enum reply
refuse(struct session *s, struct span text)
{
	struct buf last = { 0 };
	enum reply r = REPLY_MEMORY;

	while (text.n > REPLY_TEXT) {
		io_puts(&s->out, "550-");
		io_putspan(&s->out, span_head(text, REPLY_TEXT));
		io_puts(&s->out, "\r\n");
		text = span_tail(text, REPLY_TEXT);
	}
	buf_adds(&last, "550 ");
	buf_addspan(&last, text);
	buf_adds(&last, " (#5.7.1)");
	if (buf_ok(&last))
		r = checks_say(s, buf_span(&last));
	buf_free(&last);
	return r;
}

enum reply
spfcheck_recipient(struct session *s)
{
	const struct spfcheck *c = &s->spf;

	if (!c->ran || c->level < refused_from[c->result])
		return REPLY_OK;
	return refuse(s, buf_span(&c->explanation));
}

void
spfcheck_put_header(const struct session *s, struct incoming *in)
{
	static const char name[] = "Received-SPF: ";

	if (!s->spf.ran)
		return;
	incoming_text(in, name, sizeof name - 1);
	incoming_text(in, s->spf.text.p, s->spf.text.n);
	incoming_text(in, "\n", 1);
}

void
spfcheck_reset(struct spfcheck *c)
{
	if (c->ran)
		(void)unsetenv("SPFRESULT");
	c->ran = false;
}

void
spfcheck_free(struct spfcheck *c)
{
	spf_helper_free(&c->helper);
	buf_free(&c->text);
	buf_free(&c->explanation);
}
