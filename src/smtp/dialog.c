/* dialog - the commands of SMTP and their replies.
 * Replies are buffered and leave when the client has to be waited for, so commands that arrived
 * together are answered together (RFC 2920). */
#include "smtp/dialog.h"

#include "lib/ascii.h"
#include "mail/addr5321.h"
#include "smtp/auth.h"
#include "smtp/checks.h"
#include "smtp/data.h"
#include "smtp/params.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/smtplog.h"

#define LAST_WORDS_MS (INT64_C(10) * 1000)	/* for the reply that ends a connection */

/* ---- commands that only talk ---- */

/* `250 `, or `250-` when more lines follow, and what the server calls itself. */
static void
put_greeting(struct session *s, const char *code)
{
	io_puts(&s->out, code);
	io_putspan(&s->out, starttls_greeting(s));
	io_puts(&s->out, "\r\n");
}

static enum reply
hello(struct session *s, struct span arg, bool extended)
{
	enum reply r;

	session_reset(s);
	buf_reset(&s->hello);
	buf_addspan(&s->hello, arg);
	if (!buf_ok(&s->hello))
		return REPLY_MEMORY;
	/* One that is refused leaves a client that has not said who it is. */
	s->said_hello = s->extended = false;
	if ((r = checks_run(s, CHECKS_HELO, &s->hello)) != REPLY_OK)
		return r;
	s->said_hello = true;
	s->extended = extended;
	put_greeting(s, extended ? "250-" : "250 ");
	return REPLY_WRITTEN;
}

static enum reply
command_helo(struct session *s, struct span arg)
{
	return hello(s, arg, false);
}

static enum reply
command_ehlo(struct session *s, struct span arg)
{
	enum reply r = hello(s, arg, true);

	if (r == REPLY_WRITTEN) {
		if (starttls_is_offered(s))
			io_puts(&s->out, "250-STARTTLS\r\n");
		io_puts(&s->out, "250-PIPELINING\r\n");
		auth_put_lines(s);
		if (s->conf->rules.utf8)
			io_puts(&s->out, "250-SMTPUTF8\r\n");
		io_puts(&s->out, "250-SIZE ");
		io_putnum(&s->out, s->conf->intake.size_limit);
		io_puts(&s->out, "\r\n250 8BITMIME\r\n");
	}
	return r;
}

static enum reply
command_rset(struct session *s, struct span arg)
{
	(void)arg;
	session_reset(s);
	return REPLY_OK;
}

static enum reply
command_noop(struct session *s, struct span arg)
{
	(void)s;
	(void)arg;
	return REPLY_OK;
}

static enum reply
command_vrfy(struct session *s, struct span arg)
{
	(void)s;
	(void)arg;
	return REPLY_VRFY;
}

static enum reply
command_help(struct session *s, struct span arg)
{
	(void)s;
	(void)arg;
	return REPLY_HELP;
}

static enum reply
command_quit(struct session *s, struct span arg)
{
	(void)arg;
	put_greeting(s, "221 ");
	return REPLY_QUIT;
}

/* ---- the transaction ---- */

/* Takes `KEYWORD:` off the argument; spaces before the colon are forgiven. */
static bool
take_keyword(struct span *arg, const char *keyword)
{
	size_t colon = span_chr(*arg, ':');
	struct span word = span_head(*arg, colon);

	while (word.n && word.p[word.n - 1] == ' ')
		word.n--;
	if (colon == arg->n || !ascii_ieq(word, span_str(keyword)))
		return false;
	*arg = span_tail(*arg, colon + 1);
	return true;
}

/* `FROM:<path> parameters` into address and parameters.  What follows an address without angle
 * brackets is ignored, as old clients need it. */
static enum reply
parse_path(struct session *s, struct span arg, const char *keyword, enum reply unusable,
    struct buf *address, struct span *params)
{
	if (!take_keyword(&arg, keyword))
		return REPLY_ARGUMENT;
	switch (addr5321_parse(arg, address, params)) {
	case ADDR_OK:
		break;
	case ADDR_SYNTAX:
		return REPLY_ARGUMENT;
	case ADDR_TOOLONG:
		return REPLY_LONG_ADDRESS;
	case ADDR_CONTROL:
		return unusable;
	default:
		return REPLY_MEMORY;
	}
	if (span_chr(arg, '<') == arg.n)
		*params = span_of("", 0);
	return policy_replace_local_ip(s, address);
}

static enum reply
open_transaction(struct session *s, struct span arg)
{
	struct mail_params params;
	struct span rest;
	enum reply r = parse_path(s, arg, "FROM", REPLY_SENDER_SYNTAX, &s->sender, &rest);

	if (r != REPLY_OK)
		return r;
	if (params_mail(rest, &params) != PARAMS_OK || (params.auth && !auth_is_known(s)) ||
	    (params.utf8 && !s->conf->rules.utf8))
		return REPLY_PARAMETER;
	s->utf8 = params.utf8;
	if ((r = rules_utf8(s, &s->sender)) != REPLY_OK)
		return r;
	if (s->conf->intake.size_limit && params.size > s->conf->intake.size_limit)
		return REPLY_TOO_BIG;
	if ((r = checks_run(s, CHECKS_MAIL, &s->sender)) != REPLY_OK)
		return r;
	s->in_transaction = true;
	return REPLY_OK;
}

static enum reply
command_mail(struct session *s, struct span arg)
{
	enum reply r = starttls_required(s);

	if (r != REPLY_OK)
		return r;
	if (auth_is_missing(s))
		return REPLY_AUTH_FIRST;
	session_reset(s);
	return open_transaction(s, arg);
}

static enum reply
add_recipient(struct session *s, struct buf *address)
{
	if (s->relay_client)
		buf_adds(address, s->relay_client);
	if (!buf_ok(address))
		return REPLY_MEMORY;
	if (s->recipient_count == SESSION_RECIPIENTS_MAX ||
	    address->n >= SESSION_RECIPIENT_BYTES_MAX - s->recipients.n)
		return REPLY_MANY_RECIPIENTS;
	buf_addbuf(&s->recipients, address);
	buf_addc(&s->recipients, '\0');
	if (!buf_ok(&s->recipients))
		return REPLY_MEMORY;
	s->recipient_count++;
	s->idle = 0;
	return REPLY_OK;
}

static enum reply
check_recipient(struct session *s, struct span arg, struct buf *address)
{
	struct span rest;
	enum reply r = parse_path(s, arg, "TO", REPLY_RECIPIENT_SYNTAX, address, &rest);

	if (r != REPLY_OK)
		return r;
	if (!address->n)
		return REPLY_RECIPIENT_SYNTAX;
	if (params_rcpt(rest) != PARAMS_OK)
		return REPLY_PARAMETER;
	if ((r = rules_utf8(s, address)) != REPLY_OK ||
	    (r = checks_run(s, CHECKS_RCPT, address)) != REPLY_OK)
		return r;
	return add_recipient(s, address);
}

static enum reply
command_rcpt(struct session *s, struct span arg)
{
	return s->in_transaction ? check_recipient(s, arg, &s->recipient) : REPLY_LATER_MAIL;
}

static enum reply
command_data(struct session *s, struct span arg)
{
	enum reply r;

	(void)arg;
	if (!s->in_transaction)
		return REPLY_LATER_MAIL;
	if (!s->recipient_count)
		return REPLY_LATER_RCPT;
	if ((r = checks_run(s, CHECKS_DATA, NULL)) != REPLY_OK)
		return r;
	return data_receive(s);
}

/* Its octets would be read as commands, by whoever wrote them. */
static enum reply
command_bdat(struct session *s, struct span arg)
{
	(void)s;
	(void)arg;
	return REPLY_NO_CHUNKS;
}

/* ---- the loop ---- */

static const struct command {
	const char *verb;
	enum reply (*run)(struct session *s, struct span arg);
	bool raw;		/* wants its argument with NUL and all */
} commands[] = {
	{ "rcpt", command_rcpt, true },
	{ "mail", command_mail, true },
	{ "data", command_data, false },
	{ "quit", command_quit, false },
	{ "ehlo", command_ehlo, false },
	{ "helo", command_helo, false },
	{ "auth", auth_command, true },
	{ "starttls", starttls_command, false },
	{ "rset", command_rset, false },
	{ "noop", command_noop, false },
	{ "vrfy", command_vrfy, false },
	{ "help", command_help, false },
	{ "bdat", command_bdat, false },
};

/* Takes the verb off the line; NULL if there is no such command. */
static const struct command *
find_command(struct span line, struct span *arg)
{
	size_t end = span_chr(line, ' ');
	struct span verb = span_head(line, end);

	*arg = span_tail(line, end);
	verb = span_head(verb, span_chr(verb, '\0'));
	while (arg->n && arg->p[0] == ' ')
		*arg = span_tail(*arg, 1);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (ascii_ieq(verb, span_str(commands[i].verb)))
			return &commands[i];
	return NULL;
}

static enum reply
run_command(struct session *s, const struct command *c, struct span arg)
{
	if (!c)
		return REPLY_UNIMPLEMENTED;
	return c->run(s, c->raw ? arg : span_head(arg, span_chr(arg, '\0')));
}

static void
note(struct session *s, struct span verb, enum reply r)
{
	s->refusals += reply_is_refusal(r) ? 1 : 0;
	if (s->conf->log_styles)
		smtplog_command(s, verb, r);
}

/* The command, and what the log says about it.  The name of what is no command is not logged: a
 * client that does not wait may send a password there. */
static enum reply
run_logged(struct session *s)
{
	struct span arg;
	const struct command *c = find_command(buf_span(&s->line), &arg);
	enum reply r;

	buf_reset(&s->said);
	buf_reset(&s->recipient);
	buf_reset(&s->tried);
	s->refused_by = NULL;
	r = run_command(s, c, arg);
	note(s, span_str(c ? c->verb : "unknown"), r);
	return r;
}

/* Clients that only make mistakes, or only ask for nothing, are sent away; not those that have more
 * recipients than are taken at a time, or they would never come to the text for the others. */
static enum reply
bound(struct session *s, enum reply r)
{
	if (reply_effect(r) == REPLY_ENDS)
		return r;
	if (reply_puts_off(r) && ++s->put_off < SESSION_PUT_OFF_MAX)
		return r;
	if (reply_effect(r) == REPLY_REFUSES)
		s->errors++;
	s->idle++;
	if (s->errors < SESSION_ERRORS_MAX && s->idle < SESSION_IDLE_MAX)
		return r;
	reply_put(&s->out, r);
	return REPLY_ENOUGH;
}

static void
put_banner(struct session *s)
{
	io_puts(&s->out, "220 ");
	io_putspan(&s->out, starttls_greeting(s));
	io_puts(&s->out, " ESMTP\r\n");
}

bool
dialog_run(struct session *s)
{
	enum reply r;

	if (!starttls_begin(s))
		return false;
	if ((r = checks_run(s, CHECKS_CONNECT, NULL)) == REPLY_OK) {
		put_banner(s);
	} else {
		note(s, span_str("connect"), r);
		reply_put(&s->out, r);
	}
	while (reply_effect(r) != REPLY_ENDS) {
		if ((r = session_read_line(s, &s->line)) == REPLY_OK)
			r = run_logged(s);
		r = bound(s, r);
		reply_put(&s->out, r);
	}
	smtplog_end(s);
	s->out.deadline = deadline_after(LAST_WORDS_MS);
	return io_flush(&s->out) == 0 && r == REPLY_QUIT;
}
