/* smtplog - what qmail-smtpd says on descriptor 2 about its decisions. */
#include "smtp/smtplog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"
#include "mail/tcpenv.h"
#include "smtp/session.h"

#define CODE_DIGITS 3

/* ---- lines ---- */

void
smtplog_add(struct buf *line, struct span value)
{
	log_add_visible(line, span_head(value, SMTPLOG_VALUE_MAX), false, '_');
}

/* One write; frees the line. */
static void
put(struct buf *line)
{
	buf_cut(line, SMTPLOG_MAX - 1);
	buf_addc(line, '\n');
	if (buf_ok(line) && !io_same_file(2, 0) && !io_same_file(2, 1))
		(void)!io_write_all(2, line->p, line->n);
	buf_free(line);
}

void
smtplog_put(struct buf *line)
{
	struct buf whole = { 0 };

	buf_adds(&whole, "qmail-smtpd[");
	buf_addnum(&whole, (uint64_t)getpid());
	buf_adds(&whole, "]: ");
	buf_addbuf(&whole, line);
	buf_free(line);
	put(&whole);
}

void
smtplog_lines(const struct buf *lines)
{
	struct span rest = buf_span(lines);

	while (rest.n) {
		struct span line = span_head(rest, span_chr(rest, '\n'));
		struct buf copy = { 0 };

		buf_addspan(&copy, line);
		smtplog_put(&copy);
		rest = span_tail(rest, line.n + 1);
	}
}

int
smtplog_unread(const char *file)
{
	struct buf line = { 0 };
	int error = errno;

	buf_adds(&line, "unable to read ");
	buf_adds(&line, strchr(file, '/') ? "" : "control/");
	smtplog_add(&line, span_str(file));
	buf_adds(&line, ": ");
	buf_adds(&line, error == EPROTO ? "it is damaged" : errtext(error));
	smtplog_put(&line);
	errno = error;
	return -1;
}

/* ` name=` and the value. */
static void
add_field(struct buf *line, const char *name, struct span value)
{
	buf_addc(line, ' ');
	buf_adds(line, name);
	buf_addc(line, '=');
	smtplog_add(line, value);
}

static void
add_variable(struct buf *line, const char *name, const char *variable)
{
	add_field(line, name, span_str(getenv(variable)));
}

static void
add_yes_or_no(struct buf *line, const char *name, bool yes)
{
	add_field(line, name, span_str(yes ? "yes" : "no"));
}

/* ---- styles ---- */

static bool
is_on(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t value = 0;

	if (text)
		(void)num_lead_u64(span_str(text), 1, &value);
	return value > 0;
}

unsigned
smtplog_styles(void)
{
	static const struct {
		const char *word;
		unsigned style;
	} words[] = {
		{ "refusal", SMTPLOG_REFUSAL }, { "qlog", SMTPLOG_QLOG },
		{ "sqmail", SMTPLOG_SQMAIL }, { "session", SMTPLOG_SESSION },
		{ "mail", SMTPLOG_MAIL }, { "rcpt", SMTPLOG_RCPT },
	};
	struct span rest = span_str(getenv("QMAILSMTPD_LOG"));
	unsigned styles = 0;

	while (rest.n) {
		struct span word;
		size_t n = 0;

		while (n < rest.n && ascii_isalpha(rest.p[n]))
			n++;
		word = span_head(rest, n);
		rest = span_tail(rest, n + 1);
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (ascii_ieq(word, span_str(words[i].word)))
				styles |= words[i].style;
	}
	if (is_on("QMAILSMTPD_LOG_MAIL"))
		styles |= SMTPLOG_MAIL;
	if (is_on("QMAILSMTPD_LOG_RCPT"))
		styles |= SMTPLOG_RCPT;
	return styles;
}

/* What the client was told. */
static struct span
text_of(const struct session *s, enum reply r)
{
	const char *fixed = reply_text(r);

	if (fixed)
		return span_str(fixed);
	if (s->said.n)
		return buf_span(&s->said);
	return span_str(reply_is_refusal(r) ? "550 refused" : "250 ok");
}

/* Which check refused, else which command. */
static void
add_reason(struct buf *line, const struct session *s, struct span verb)
{
	char word[16];
	size_t n = verb.n < sizeof word ? verb.n : sizeof word;

	if (s->refused_by) {
		buf_adds(line, s->refused_by);
		return;
	}
	if (n)
		memcpy(word, verb.p, n);
	ascii_lower_n(word, n);
	smtplog_add(line, span_of(word, n));
}

/* `qmail-smtpd: rcpthosts (553 ...): a@b from 192.0.2.1 to u@c helo x` */
static void
put_refusal(const struct session *s, struct span verb, enum reply r)
{
	struct buf line = { 0 };

	buf_adds(&line, "qmail-smtpd: ");
	add_reason(&line, s, verb);
	buf_adds(&line, " (");
	log_add_visible(&line, text_of(s, r), true, '_');
	buf_adds(&line, "): ");
	smtplog_add(&line, buf_span(&s->sender));
	buf_adds(&line, " from ");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	buf_adds(&line, " to ");
	smtplog_add(&line, buf_span(&s->recipient));
	buf_adds(&line, " helo ");
	smtplog_add(&line, buf_span(&s->hello));
	put(&line);
}

/* The recipients so far, with commas. */
static void
add_recipients(struct buf *line, const struct session *s)
{
	struct buf all = BUF_CAP(SESSION_RECIPIENT_BYTES_MAX);

	buf_addbuf(&all, &s->recipients);
	for (size_t i = 0; i < all.n; i++)
		if (all.p[i] == '\0')
			all.p[i] = ',';
	buf_cut(&all, all.n ? all.n - 1 : 0);
	add_field(line, "rcptto", buf_span(&all));
	buf_free(&all);
}

static void
add_connection(struct buf *line, const struct session *s, uint64_t size)
{
	const char *method = getenv("SMTPAUTHMETHOD");

	add_yes_or_no(line, "relay", s->relay_client != NULL);
	add_yes_or_no(line, "rcpthosts", s->ours);
	buf_adds(line, " size=");
	if (size)
		buf_addnum(line, size);
	add_field(line, "authuser", buf_span(&s->user));
	add_field(line, "authtype", s->user.n ? span_str(method) : span_str(""));
	add_field(line, "encrypted", span_str(s->tls ? "tls" : ""));
	buf_adds(line, " sslverified=no");
	add_variable(line, "localip", "TCPLOCALIP");
	add_variable(line, "localport", "TCPLOCALPORT");
	add_field(line, "remoteip", s->conf->intake.peer.remote_ip);
	add_variable(line, "remoteport", "TCPREMOTEPORT");
	add_field(line, "remotehost", s->conf->intake.peer.remote_host);
}

static void
put_qlog_envelope(const struct session *s, struct span verb, enum reply r, bool refused)
{
	struct buf line = { 0 };
	struct span text = text_of(s, r);

	buf_adds(&line, "qlogenvelope:");
	add_field(&line, "result", span_str(refused ? "rejected" : "accepted"));
	add_field(&line, "code", span_head(text, CODE_DIGITS));
	buf_adds(&line, " reason=");
	add_reason(&line, s, verb);
	add_field(&line, "detail", span_tail(text, CODE_DIGITS + 1));
	add_field(&line, "helo", buf_span(&s->hello));
	add_field(&line, "mailfrom", buf_span(&s->sender));
	add_field(&line, "rcptto", buf_span(&s->recipient));
	add_connection(&line, s, 0);
	buf_adds(&line, " qp= pid=");
	buf_addnum(&line, (uint64_t)getpid());
	put(&line);
}

/* `qmail-smtpd: pid 4711 Reject::RCPT::rcpthosts P:SMTP S:192.0.2.1:x H:x F:a@b T:u@c`, followed by
 * ` ?~ 'joe'` in an authenticated session and where joe's login is refused */
static void
put_sqmail(const struct session *s, const char *class, struct span verb, bool refused)
{
	struct buf line = { 0 };

	buf_adds(&line, "qmail-smtpd: pid ");
	buf_addnum(&line, (uint64_t)getpid());
	buf_adds(&line, refused ? " Reject::" : " Accept::");
	buf_adds(&line, class);
	buf_adds(&line, "::");
	add_reason(&line, s, verb);
	buf_adds(&line, s->extended ? " P:ESMTP S:" : " P:SMTP S:");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	buf_addc(&line, ':');
	smtplog_add(&line, s->conf->intake.peer.remote_host);
	buf_adds(&line, " H:");
	smtplog_add(&line, buf_span(&s->hello));
	buf_adds(&line, " F:");
	smtplog_add(&line, buf_span(&s->sender));
	buf_adds(&line, " T:");
	smtplog_add(&line, buf_span(&s->recipient));
	if (s->user.n || s->tried.n) {
		buf_adds(&line, " ?~ '");
		smtplog_add(&line, buf_span(s->user.n ? &s->user : &s->tried));
		buf_addc(&line, '\'');
	}
	put(&line);
}

static void
put_address(const char *what, struct span address)
{
	struct buf line = { 0 };

	buf_adds(&line, what);
	smtplog_add(&line, address);
	buf_addc(&line, '>');
	smtplog_put(&line);
}

/* `DATABYTES exceeded [192.0.2.1]`: what the origin of the styles mail and rcpt says besides. */
static void
put_limit(const struct session *s, enum reply r)
{
	struct buf line = { 0 };

	if (r != REPLY_TOO_BIG && r != REPLY_MAX_RECIPIENTS)
		return;
	buf_adds(&line, r == REPLY_TOO_BIG ? "DATABYTES exceeded [" : "MAXRCPT fail [");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	buf_addc(&line, ']');
	smtplog_put(&line);
}

/* ---- events ---- */

void
smtplog_unserved(enum reply r)
{
	struct trace_hop peer = { 0 };
	struct buf line = { 0 };

	if (!(smtplog_styles() & SMTPLOG_REFUSAL))
		return;
	tcpenv_hop(&peer);
	buf_adds(&line, "qmail-smtpd: controls (");
	buf_adds(&line, reply_text(r));
	buf_adds(&line, "):  from ");
	smtplog_add(&line, peer.remote_ip);
	buf_adds(&line, " to  helo ");
	put(&line);
}

static const char *
class_of(struct span verb)
{
	static const struct {
		const char *verb, *class;
	} classes[] = {
		{ "mail", "ORIG" }, { "rcpt", "RCPT" }, { "data", "DATA" }, { "auth", "AUTH" },
		{ "starttls", "TLS" },
	};

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (ascii_ieq(verb, span_str(classes[i].verb)))
			return classes[i].class;
	return "SNDR";
}

void
smtplog_command(const struct session *s, struct span verb, enum reply r)
{
	unsigned styles = s->conf->log_styles;
	bool is_rcpt = ascii_ieq(verb, span_str("rcpt"));
	bool is_mail = ascii_ieq(verb, span_str("mail"));
	bool refused = reply_is_refusal(r);

	if (styles & SMTPLOG_MAIL && is_mail && !refused)
		put_address("MAIL FROM:<", buf_span(&s->sender));
	if (styles & SMTPLOG_RCPT && is_rcpt && s->recipient.n)
		put_address("RCPT TO:<", buf_span(&s->recipient));
	if (styles & (SMTPLOG_MAIL | SMTPLOG_RCPT))
		put_limit(s, r);
	if (!refused && !is_rcpt)
		return;
	if (styles & SMTPLOG_REFUSAL && refused)
		put_refusal(s, verb, r);
	if (styles & SMTPLOG_QLOG)
		put_qlog_envelope(s, verb, r, refused);
	if (styles & SMTPLOG_SQMAIL)
		put_sqmail(s, class_of(verb), verb, refused);
}

void
smtplog_message(const struct session *s, pid_t qp, uint64_t size)
{
	struct buf line = { 0 };

	if (s->conf->log_styles & SMTPLOG_SQMAIL)
		put_sqmail(s, "DATA", span_str("accepted"), false);
	if (!(s->conf->log_styles & SMTPLOG_QLOG))
		return;
	buf_adds(&line, "qlogreceived: result=accepted code=250 reason=queueaccept detail=");
	add_field(&line, "helo", buf_span(&s->hello));
	add_field(&line, "mailfrom", buf_span(&s->sender));
	add_recipients(&line, s);
	add_connection(&line, s, size);
	buf_adds(&line, " qp=");
	buf_addnum(&line, (uint64_t)qp);
	buf_adds(&line, " pid=");
	buf_addnum(&line, (uint64_t)getpid());
	put(&line);
}

void
smtplog_end(const struct session *s)
{
	struct buf line = { 0 };

	if (!(s->conf->log_styles & SMTPLOG_SESSION))
		return;
	buf_adds(&line, "session: from ");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	buf_adds(&line, " helo ");
	smtplog_add(&line, s->hello.n ? buf_span(&s->hello) : span_str("-"));
	buf_adds(&line, " auth ");
	smtplog_add(&line, s->user.n ? buf_span(&s->user) : span_str("-"));
	buf_adds(&line, " messages ");
	buf_addnum(&line, s->messages);
	buf_adds(&line, " refused ");
	buf_addnum(&line, s->refusals);
	buf_adds(&line, " bytes ");
	buf_addnum(&line, s->text_bytes);
	buf_adds(&line, " seconds ");
	buf_addnum(&line, (uint64_t)(deadline_now() - s->begun) / 1000);
	smtplog_put(&line);
}
