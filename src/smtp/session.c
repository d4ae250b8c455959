/* session - one SMTP connection: its streams, its limits and the transaction that is open. */
#include "smtp/session.h"

#include <stdlib.h>

#include "mail/addr5321.h"

void
session_init(struct session *s, struct smtpconf *conf)
{
	*s = (struct session){ .conf = conf, .begun = deadline_now() };
	io_in_init(&s->in, 0, s->input, sizeof s->input);
	io_out_init(&s->out, 1, s->output, sizeof s->output);
	s->in.tie = s->dnsask.tie = s->rcptcheck.checker.tie = &s->out;
	s->in.timeout_ms = s->out.timeout_ms = conf->timeout_ms;
	s->in.deadline = s->out.deadline = session_deadline(s);
	s->relay_client = conf->intake.relay_client;
	s->remote_info = conf->intake.peer.remote_info;
	buf_init(&s->line, SESSION_LINE_MAX - 1);
	if (conf->auth.configured)	/* a password may come: growing would leave copies */
		(void)buf_room(&s->line, SESSION_LINE_MAX - 1);
	buf_init(&s->hello, SESSION_LINE_MAX);
	buf_init(&s->recipients, SESSION_RECIPIENT_BYTES_MAX);
}

void
session_free(struct session *s)
{
	buf_free(&s->line);
	buf_free(&s->hello);
	buf_free(&s->user);
	buf_free(&s->tried);
	envkeep_free(&s->authset);
	envkeep_free(&s->relay_before);
	starttls_free(&s->starttls);
	buf_free(&s->sender);
	buf_free(&s->said);
	plugins_said_free(&s->plugins);
	buf_free(&s->recipient);
	buf_free(&s->recipients);
	ipme_free(&s->own);
	client_free(&s->client);
	dnsbl_free(&s->dnsbl);
	asker_close(&s->dnsask);
	asker_close(&s->rcptcheck.checker);
	spfcheck_free(&s->spf);
}

enum reply
session_adapt(struct session *s)
{
	s->helo_hits = (struct lists_hits){ 0 };	/* lines of the lists as they were */
	if (smtpconf_read_again(s->conf) == -1)
		return REPLY_CONTROLS;
	s->relay_client = getenv("RELAYCLIENT");
	s->spf.level_known = false;
	return s->said_hello ? lists_remember_helo(s, &s->hello) : REPLY_OK;
}

void
session_reset(struct session *s)
{
	s->in_transaction = false;
	s->utf8 = false;
	plugins_said_reset(&s->plugins);
	s->sender_hits = (struct lists_hits){ 0 };
	spfcheck_reset(&s->spf);
	buf_reset(&s->sender);
	buf_reset(&s->recipients);
	s->recipient_count = 0;
	s->put_off = 0;
}

enum ipme_status
session_own(struct session *s)
{
	enum ipme_status status = s->own_known ? IPME_OK : ipme_read(&s->own, &s->conf->names);

	s->own_known = status == IPME_OK;
	return status;
}

void
session_speak(struct session *s)
{
	if (s->out.n)
		(void)!io_flush(&s->out);
}

int64_t
session_deadline(const struct session *s)
{
	return s->begun + SESSION_MAX_MS + (int64_t)s->text_bytes * SESSION_MS_PER_BYTE;
}

enum reply
session_read_line(struct session *s, struct buf *line)
{
	int64_t patience = s->conf->timeout_ms > SESSION_COMMAND_MS ? s->conf->timeout_ms :
	    SESSION_COMMAND_MS;

	buf_reset(line);
	s->in.deadline = deadline_first(deadline_after(patience), session_deadline(s));
	s->out.deadline = session_deadline(s);
	switch (io_get_until(&s->in, '\n', line)) {
	case IO_OK:
		if (line->n && line->p[line->n - 1] == '\r')
			buf_cut(line, line->n - 1);
		return REPLY_OK;
	case IO_TIMEOUT:
		return REPLY_TIMEOUT;
	case IO_TOOLONG:
		return line->over ? REPLY_LONG_LINE : REPLY_MEMORY;
	default:
		return REPLY_LOST;
	}
}
