/* s25r - clients without a name, or with one as dial-up lines have it. */
#include "smtp/s25r.h"

#include <regex.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/log.h"
#include "smtp/client.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

static const char *const rules[] = {
	"^[^.]*[0-9][^0-9.]+[0-9].*\\.",
	"^[^.]*[0-9]{5}",
	"^([^.]+\\.)?[0-9][^.]*\\.[^.]+\\..+\\.[a-z]",
	"^[^.]*[0-9]\\.[^.]*[0-9]-[0-9]",
	"^[^.]*[0-9]\\.[^.]*[0-9]\\.[^.]+\\..+\\.",
	"^(dhcp|dialup|ppp|[achrsvx]?dsl)[^.]*[0-9]"
};

int
s25r_rule(struct span name)
{
	struct buf subject = { 0 };
	int found = 0;

	buf_addspan(&subject, span_head(name, S25R_NAME_MAX));
	for (size_t i = 0; buf_ok(&subject) && i < sizeof rules / sizeof *rules && !found; i++) {
		regex_t regex;
		int code;

		if (regcomp(&regex, rules[i], REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
			found = -1;
			break;
		}
		code = regexec(&regex, buf_str(&subject), 0, NULL, 0);
		if (code != REG_NOMATCH)
			found = code == 0 ? (int)i + 1 : -1;
		regfree(&regex);
	}
	if (!buf_ok(&subject))
		found = -1;
	buf_free(&subject);
	return found;
}

/* Is it on the administrator's list?  -1: that cannot be read. */
static int
is_spared(struct session *s)
{
	struct set white = { 0 };
	int spared = 0;

	if (client_white(s) != CLIENT_STRANGE)
		return client_white(s) == CLIENT_WHITE ? 1 : -1;
	if (!ctlnames_may_have(&s->conf->names, "s25rwhite"))
		return 0;
	if (ctl_set("s25rwhite", &white) == CTL_ERROR)
		spared = smtplog_unread("s25rwhite");
	else if (set_find(&white, s->conf->intake.peer.remote_ip, NULL) ||
	    (client_name(s) == CLIENT_NAMED &&
	    set_find_domain(&white, buf_span(&s->client.name), false, NULL)))
		spared = 1;
	set_free(&white);
	return spared;
}

static void
log_hit(const struct session *s, const struct s25r *r)
{
	struct buf line = BUF_CAP(SMTPLOG_MAX);

	buf_adds(&line, "s25r: ip=");
	log_add_visible(&line, s->conf->intake.peer.remote_ip, false, '?');
	buf_adds(&line, " name=");
	log_add_visible(&line, span_head(buf_span(&s->client.name), S25R_NAME_MAX), false, '?');
	buf_adds(&line, " rule=");
	buf_addnum(&line, r->rule);
	smtplog_put(&line);
}

static void
run(struct session *s, struct s25r *r)
{
	int spared = is_spared(s), rule = 0;

	r->ran = true;
	if (spared == 1)
		return;
	r->verdict = S25R_BROKEN;
	if (spared == -1)
		return;
	switch (client_name(s)) {
	case CLIENT_NAMELESS:
		r->verdict = S25R_NAMELESS;
		break;
	case CLIENT_NAMED:
		rule = s25r_rule(buf_span(&s->client.name));
		if (rule != -1)
			r->verdict = rule ? S25R_RULE : S25R_PASS;
		r->rule = rule > 0 ? (unsigned)rule : 0;
		break;
	default:
		r->verdict = S25R_PASS;		/* nobody is refused for trouble with names */
	}
	if (r->verdict == S25R_NAMELESS || r->verdict == S25R_RULE)
		log_hit(s, r);
}

int
s25r_spares(struct session *s)
{
	const char *mode = getenv("S25R");

	if (!mode || !ascii_ieq(span_str(mode), span_str("greylist")))
		return 0;
	if (!s->s25r.ran)
		run(s, &s->s25r);
	return s->s25r.verdict == S25R_BROKEN ? -1 : s->s25r.verdict == S25R_PASS;
}

enum reply
s25r_check(struct session *s, struct buf *recipient)
{
	const char *mode = getenv("S25R");

	(void)recipient;
	if (!mode || ascii_ieq(span_str(mode), span_str("greylist")))
		return REPLY_OK;
	if (!s->s25r.ran)
		run(s, &s->s25r);
	switch (s->s25r.verdict) {
	case S25R_PASS:
		return REPLY_OK;
	case S25R_NAMELESS:
		return REPLY_NAMELESS;
	case S25R_RULE:
		return REPLY_DIALUP;
	default:
		return REPLY_CONTROLS;
	}
}
