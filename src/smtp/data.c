/* data - the text of a message, from the wire into the queue.
 * The only thing that makes a message appear is the last NUL of the envelope, which
 * queue/submit.h withholds after submit_abort: so every way out of here but one loses nothing that
 * anybody was told is safe. */
#include "smtp/data.h"

#include "lib/date.h"
#include "mail/authstrip.h"
#include "mail/dotcrlf.h"
#include "queue/incoming.h"
#include "smtp/checks.h"
#include "smtp/helocheck.h"
#include "smtp/results.h"
#include "smtp/smtplog.h"
#include "smtp/submission.h"

/* One message on its way. */
struct transfer {
	struct incoming incoming;
	struct results results;
	struct authstrip strip;		/* if the results are wanted */
	struct buf stripped;
	struct submission submission;
	struct dotcrlf_decoder decoder;
	bool bare_cr;			/* there was one, and it is not wanted */
	int64_t begun;
};

static int
open_queue(const struct session *s, struct incoming *in)
{
	struct trace_hop hop = s->conf->intake.peer;
	struct buf protocol = { 0 };
	int rc = -1;

	if (s->said_hello)
		hop.helo = buf_span(&s->hello);
	if (s->said_hello && !hop.helo.p)
		hop.helo = span_str("");	/* an empty name was given, which is not none */
	hop.remote_info = s->remote_info;
	if (s->conf->rules.hide_client && (s->relay_client || s->user.n)) {
		hop.hidden = true;
		if (s->conf->rules.hide_client > 1)
			hop.remote_info = span_of(NULL, 0);
	}
	starttls_put_protocol(s, &protocol);
	hop.protocol = buf_str(&protocol);
	hop.time = date_now();
	if (buf_ok(&protocol))
		rc = incoming_open(in, &hop, s->conf->intake.size_limit, s->conf->timeout_ms);
	buf_free(&protocol);
	return rc;
}

/* The text may be slow, but not so slow that it holds the connection for ever. */
static void
set_deadline(struct session *s, const struct transfer *t, uint64_t received)
{
	int64_t rate = t->begun + SESSION_COMMAND_MS + s->conf->timeout_ms +
	    (int64_t)received * SESSION_MS_PER_BYTE;

	s->in.deadline = deadline_first(rate, session_deadline(s));
}

static void
pass_stripped(struct transfer *t)
{
	if (!buf_ok(&t->stripped))
		submit_abort(&t->incoming.submit);
	submission_text(&t->submission, &t->incoming, t->stripped.p, t->stripped.n);
	buf_reset(&t->stripped);
}

static void
pass_text(const struct session *s, struct transfer *t, const char *p, size_t n)
{
	if (!s->conf->results.on) {
		submission_text(&t->submission, &t->incoming, p, n);
		return;
	}
	authstrip_text(&t->strip, span_of(p, n), &t->stripped);
	pass_stripped(t);
}

static void
end_text(const struct session *s, struct transfer *t)
{
	if (s->conf->results.on) {
		authstrip_end(&t->strip, &t->stripped);
		pass_stripped(t);
	}
	submission_end(&t->submission, &t->incoming);
}

/* Reads to the end of the text.  REPLY_OK, or why it is not taken. */
static enum reply
read_text(struct session *s, struct transfer *t)
{
	enum dotcrlf_status status = DOTCRLF_MORE;
	uint64_t received = 0;

	while (status == DOTCRLF_MORE) {
		char text[SESSION_INPUT + DOTCRLF_DECODE_EXTRA];
		struct span in;
		size_t n, before;

		set_deadline(s, t, received);
		switch (io_fill(&s->in)) {
		case IO_OK:
			break;
		case IO_TIMEOUT:
			return REPLY_TIMEOUT;
		default:
			return REPLY_LOST;
		}
		in = io_peek(&s->in);
		before = in.n;
		status = dotcrlf_decode(&t->decoder, &in, text, &n);
		/* Those of line ends are gone. */
		if (s->conf->rules.no_bare_cr && span_chr(span_of(text, n), '\r') < n)
			t->bare_cr = true;
		pass_text(s, t, text, n);
		io_skip(&s->in, before - in.n);
		received += before - in.n;
		s->text_bytes += before - in.n;
	}
	if (status != DOTCRLF_END)
		return REPLY_BARE_LF;
	return t->bare_cr ? REPLY_BARE_CR : REPLY_OK;
}

static void
put_envelope(struct session *s, struct submit *submit)
{
	struct span rest = buf_span(&s->recipients);

	submit_sender(submit, buf_span(&s->sender));
	while (rest.n) {
		struct span recipient = span_head(rest, span_chr(rest, '\0'));

		submit_recipient(submit, recipient);
		rest = span_tail(rest, recipient.n + 1);
	}
}

static enum reply
refuse(struct session *s, const char *code, const struct buf *why)
{
	struct buf text = { 0 };
	enum reply r;

	buf_adds(&text, code);
	buf_addbuf(&text, why);
	r = checks_say(s, buf_span(&text));
	buf_free(&text);
	return r;
}

static enum reply
accept(struct session *s, const struct incoming *in)
{
	const struct submit *submit = &in->submit;

	io_puts(&s->out, "250 ok ");
	io_putnum(&s->out, (uint64_t)date_now());
	io_puts(&s->out, " qp ");
	io_putnum(&s->out, (uint64_t)submit->pid);
	io_puts(&s->out, "\r\n");
	s->errors = s->idle = 0;
	s->messages++;
	smtplog_message(s, submit->pid, in->stored);
	return REPLY_WRITTEN;
}

/* Everything is read; says what became of it. */
static enum reply
finish(struct session *s, struct transfer *t)
{
	struct incoming *in = &t->incoming;
	struct buf why = { 0 };
	enum reply reply = REPLY_LOST;

	end_text(s, t);
	put_envelope(s, &in->submit);
	if (s->out.n && io_flush(&s->out) == -1)
		submit_abort(&in->submit);	/* nobody is left who could be told */
	switch (incoming_close(in, &why)) {
	case INCOMING_OK:
		reply = accept(s, in);
		break;
	case INCOMING_TEMPORARY:
		reply = refuse(s, "451 ", &why);
		break;
	case INCOMING_PERMANENT:
		reply = refuse(s, "554 ", &why);
		break;
	case INCOMING_LOOP:
		reply = REPLY_LOOP;
		break;
	case INCOMING_TOO_BIG:
		reply = REPLY_TOO_BIG;
		break;
	}
	buf_free(&why);
	return reply;
}

enum reply
data_receive(struct session *s)
{
	struct transfer t = { .begun = deadline_now() };
	enum reply reply;

	s->in_transaction = false;
	if ((reply = results_tell(&t.results, s)) == REPLY_OK && open_queue(s, &t.incoming) == -1)
		reply = REPLY_QUEUE_START;
	results_forget(&t.results);
	if (reply != REPLY_OK) {
		session_reset(s);
		return reply;
	}
	authstrip_begin(&t.strip, buf_span(&s->conf->results.id));
	submission_begin(&t.submission, s);
	reply_put(&s->out, REPLY_GO_AHEAD);
	spfcheck_put_header(s, &t.incoming);
	helocheck_put_field(s, &t.incoming);
	plugins_put_fields(&s->plugins, &t.incoming);
	if ((reply = read_text(s, &t)) == REPLY_OK)
		reply = finish(s, &t);
	else
		incoming_abandon(&t.incoming);
	submission_free(&t.submission);
	authstrip_free(&t.strip);
	buf_free(&t.stripped);
	session_reset(s);
	return reply;
}
