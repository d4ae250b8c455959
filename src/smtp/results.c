/* results - what qmail-smtpd has found out about a message's author. */
#include "smtp/results.h"

#include <stdlib.h>

#include "lib/fsops.h"
#include "mail/authres.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

int
results_read(struct resultsconf *conf, const struct ctlnames *names)
{
	const char *unread;

	conf->on = getenv("QMAILAUTHENTICATED") || (ctlnames_may_have(names, "authservid") &&
	    fsops_is_named("control/authservid"));
	if (!conf->on || authres_id(names, &conf->id, &unread) == CTL_FOUND)
		return 0;
	return smtplog_unread(unread);
}

void
results_free(struct resultsconf *conf)
{
	buf_free(&conf->id);
}

/* `auth=pass (plain) smtp.auth=joe@a.example` */
static void
add_auth(const struct session *s, struct buf *results)
{
	const char *method = getenv("SMTPAUTHMETHOD");
	struct buf result = { 0 };

	buf_adds(&result, "auth=pass");
	if (method) {
		buf_adds(&result, " (");
		buf_adds(&result, method);
		buf_addc(&result, ')');
	}
	if (s->conf->rules.hide_client < 2)
		authres_add_property(&result, "smtp.auth", buf_span(&s->user));
	authres_add(results, buf_span(&result));
	buf_free(&result);
}

/* Of the text of Received-SPF, `pass (mx: why) client-ip=192.0.2.1; helo=x;`: was it HELO that was
 * asked about? */
static bool
is_about_helo(struct span keys)
{
	const struct span helo = span_str(" helo="), sender = span_str(" envelope-from=");

	while (keys.n && !span_starts(keys, sender)) {
		if (span_starts(keys, helo))
			return true;
		keys = span_tail(keys, 1);
	}
	return false;
}

/* `spf=pass (mx: why) smtp.mailfrom=joe@a.example` */
static void
add_spf(const struct session *s, struct buf *results)
{
	struct span text = buf_span(&s->spf.text);
	size_t open = span_chr(text, '('), close = span_chr(text, ')');
	struct buf result = { 0 };

	buf_adds(&result, "spf=");
	buf_addspan(&result, span_head(text, span_chr(text, ' ')));
	if (open < close && close < text.n) {	/* a comment: there is no other in it */
		buf_addc(&result, ' ');
		buf_addspan(&result, span_of(text.p + open, close - open + 1));
	}
	if (is_about_helo(span_tail(text, close)))
		authres_add_property(&result, "smtp.helo", buf_span(&s->hello));
	else
		authres_add_property(&result, "smtp.mailfrom", buf_span(&s->sender));
	authres_add(results, buf_span(&result));
	buf_free(&result);
}

enum reply
results_tell(struct results *r, struct session *s)
{
	const char *before = getenv("QMAILAUTHENTICATED");
	struct buf own = { 0 }, results = { 0 };
	int rc = 0;

	if (!s->conf->results.on && !before)
		return REPLY_OK;
	/* A plug-in has set it since the controls were read; the id is that which qmail-queue will
	 * find, which does not know what was there then. */
	if (!s->conf->results.on && results_read(&s->conf->results, NULL) == -1)
		return REPLY_CONTROLS;
	r->told = true;
	r->was_set = before;
	buf_adds(&r->before, before ? before : "");
	if (s->user.n)
		add_auth(s, &own);
	if (s->spf.ran)
		add_spf(s, &own);
	/* Too much would be no field at all: who sends must not get rid of ours by theirs. */
	if (r->before.n && r->before.n + own.n + 2 <= AUTHRES_MAX)
		authres_add(&results, buf_span(&r->before));
	if (own.n)
		authres_add(&results, buf_span(&own));
	if (results.n)
		rc = setenv("QMAILAUTHENTICATED", buf_str(&results), 1);
	if (!buf_ok(&r->before) || !buf_ok(&own) || !buf_ok(&results))
		rc = -1;
	buf_free(&own);
	buf_free(&results);
	return rc == -1 ? REPLY_QUEUE_START : REPLY_OK;
}

void
results_forget(struct results *r)
{
	if (r->told && (!r->was_set || setenv("QMAILAUTHENTICATED", buf_str(&r->before), 1) == -1))
		(void)unsetenv("QMAILAUTHENTICATED");
	buf_free(&r->before);
	*r = (struct results){ 0 };
}
