/* smtpclient - messages to one server, over a connection. */
#include "remote/smtpclient.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/utf8.h"
#include "mail/dotcrlf.h"
#include "remote/asciienvelope.h"
#include "remote/smtpreply.h"

#define LATE_REPLY_MS 2000	/* for a reply that was sent before the server hung up */

/* One message. */
struct session {
	struct smtplink *link;
	struct dialogue *d;		/* the link's */
	const struct smtpclient_job *job;
	struct message *message;
	struct message_facts facts;
	struct asciienvelope ascii;	/* instead of the job's, if it is made */
	size_t accepted;		/* recipients */
	bool again;			/* not the first message of the connection */
	bool utf8;			/* MAIL has SMTPUTF8 */
};

struct smtpclient_waits
smtpclient_waits(int64_t timeout_ms, size_t recipients)
{
	struct smtpclient_waits w = { .reply_ms = timeout_ms, .dialogue_ms = 3 * timeout_ms,
		.dot_ms = timeout_ms };

	if (w.dialogue_ms < SMTPCLIENT_DIALOGUE_MS)
		w.dialogue_ms = SMTPCLIENT_DIALOGUE_MS;
	w.dialogue_ms += (int64_t)recipients * SMTPCLIENT_PER_RECIPIENT_MS;
	if (w.dot_ms < SMTPCLIENT_DOT_MS)
		w.dot_ms = SMTPCLIENT_DOT_MS;
	return w;
}

/* All functions below that return bool: true to go on; false when the outcome and the report are
 * settled. */

/* ---- before the transaction ---- */

static bool
greet(struct session *s)
{
	if (!dialogue_reply(s->d))
		return false;
	return s->d->reply.code == DIALOGUE_READY ||
	    dialogue_unwelcome(s->d, " but greeting failed.");
}

static bool
hello(struct session *s, const char *verb)
{
	io_puts(&s->d->out, verb);
	io_puts(&s->d->out, s->job->helo);
	io_puts(&s->d->out, "\r\n");
	return dialogue_reply(s->d);
}

static bool
introduce(struct session *s)
{
	s->link->offers = (struct smtpreply_offers){ .size = false };
	if (!hello(s, "EHLO "))
		return false;
	if (s->d->reply.code == DIALOGUE_FULFILLED)
		s->link->offers = smtpreply_offers(&s->d->reply);
	else if (s->d->reply.code >= DIALOGUE_PERMANENT && !hello(s, "HELO "))
		return false;
	return s->d->reply.code == DIALOGUE_FULFILLED ||
	    dialogue_unwelcome(s->d, " but my name was rejected.");
}

/* What was said before TLS counts for nothing. */
static bool
secure(struct session *s)
{
	bool encrypted;

	if (!starttls_negotiate(s->d, &s->job->tls, s->link->offers.starttls, &encrypted))
		return false;
	if (!encrypted || introduce(s))
		return true;
	return dialogue_settle(s->d, starttls_failed(&s->job->tls));
}

static bool
log_in(struct session *s)
{
	if (!s->job->login.user.n)
		return true;
	s->link->logged_in = login_perform(s->d, &s->job->login, s->link->offers.auth);
	return s->link->logged_in;
}

/* Looks at the message only if the server wants to know. */
static bool
check_message(struct session *s)
{
	const struct smtpreply_offers *offers = &s->link->offers;
	/* An earlier connection may have ended in the text. */
	bool whole = !s->message->given || message_rewind(s->message);

	if (whole && !offers->size && !offers->eight_bit)
		return true;
	if (!whole || message_scan(s->message, &s->facts) != MESSAGE_OK)
		return dialogue_local_trouble(s->d, "ZUnable to read message. (#4.3.0)\n");
	if (!s->facts.known || !offers->size_limit || s->facts.wire_size <= offers->size_limit)
		return true;
	dialogue_record(s->d, 'D', "", " does not take messages of this size: ");
	buf_addnum(s->d->report, s->facts.wire_size);
	buf_adds(s->d->report, " bytes, the limit is ");
	buf_addnum(s->d->report, offers->size_limit);
	buf_adds(s->d->report, ". (#5.3.4)\n");
	dialogue_record_end(s->d);
	return dialogue_settle(s->d, DIALOGUE_FINAL);
}

/* ---- addresses and headers in UTF-8 ---- */

static bool
refuse_utf8(struct session *s)
{
	dialogue_record(s->d, 'D', "", " does not take addresses or headers in UTF-8. (#5.6.7)\n");
	dialogue_record_end(s->d);
	return dialogue_settle(s->d, DIALOGUE_FINAL);
}

static bool
without_utf8(struct session *s)
{
	switch (asciienvelope_make(&s->ascii, s->job->sender, s->job->recipients, s->job->n)) {
	case ASCIIENVELOPE_OK:
		return true;
	case ASCIIENVELOPE_NONE:
		return refuse_utf8(s);
	default:
		return dialogue_settle(s->d, DIALOGUE_MEMORY);
	}
}

/* A bounce does not come by SMTP, but whom it goes to may have come with SMTPUTF8. */
static bool
is_utf8_bounce(const struct session *s)
{
	bool is = s->link->offers.utf8 && !s->job->sender.n;

	for (size_t i = 0; i < s->job->n && is; i++)
		is = utf8_valid(s->job->recipients[i]);
	return is;
}

/* What came with SMTPUTF8 goes on with it, or as what needs it not, or not at all (RFC 6531, 3.2).
 * Other mail goes out as it is, as ever. */
static bool
check_utf8(struct session *s)
{
	bool came_with_utf8, header = message_has_utf8_header(s->message, &came_with_utf8);
	bool envelope = (came_with_utf8 || is_utf8_bounce(s)) &&
	    asciienvelope_is_foreign(s->job->sender, s->job->recipients, s->job->n);

	s->utf8 = s->link->offers.utf8 && (header || envelope);
	if (s->utf8 || !came_with_utf8 || (!header && !envelope))
		return true;
	return header ? refuse_utf8(s) : without_utf8(s);
}

static struct span
sender_of(const struct session *s)
{
	return s->ascii.recipients ? s->ascii.sender : s->job->sender;
}

/* p NULL: one that the server is not told, because it cannot take it. */
static struct span
recipient_of(const struct session *s, size_t number)
{
	return (s->ascii.recipients ? s->ascii.recipients : s->job->recipients)[number - 1];
}

/* Is nothing said for this command? */
static bool
is_left_out(const struct session *s, size_t number)
{
	return number > 0 && number <= s->job->n && !recipient_of(s, number).p;
}

/* ---- the transaction ---- */

static void
put_mail(struct session *s)
{
	io_puts(&s->d->out, "MAIL FROM:<");
	io_putspan(&s->d->out, sender_of(s));
	io_putc(&s->d->out, '>');
	if (s->link->offers.size && s->facts.known) {
		io_puts(&s->d->out, " SIZE=");
		io_putnum(&s->d->out, s->facts.wire_size);
	}
	if (s->link->offers.eight_bit && s->facts.eight_bit)
		io_puts(&s->d->out, " BODY=8BITMIME");
	if (s->utf8)
		io_puts(&s->d->out, " SMTPUTF8");
	if (s->link->logged_in)
		login_put_parameter(s->d, &s->job->login);
	io_puts(&s->d->out, "\r\n");
}

/* The commands of a transaction by number: 0 MAIL, 1..n RCPT, n + 1 DATA. */
static void
put_command(struct session *s, size_t number)
{
	if (number == 0) {
		put_mail(s);
	} else if (is_left_out(s, number)) {
		return;
	} else if (number <= s->job->n) {
		io_puts(&s->d->out, "RCPT TO:<");
		io_putspan(&s->d->out, recipient_of(s, number));
		io_puts(&s->d->out, ">\r\n");
	} else {
		io_puts(&s->d->out, "DATA\r\n");
	}
}

/* Refused over a connection that has carried another message: perhaps because of that. */
static bool
refused_again(struct session *s)
{
	return dialogue_settle(s->d, DIALOGUE_NEXT);
}

static bool
mail_reply(struct session *s)
{
	if (s->d->reply.code < DIALOGUE_TEMPORARY)
		return true;
	return s->again ? refused_again(s) :
	    dialogue_refused(s->d, "Connected to ", " but sender was rejected.");
}

static bool
give_up(struct session *s, enum dialogue_outcome outcome)
{
	if (s->accepted)	/* only when the server closes in the middle */
		dialogue_record_reply(s->d, 'Z', "", " closed before the message was sent.");
	else {
		dialogue_record(s->d, 'D', "Giving up on ", ".\n");
		dialogue_record_end(s->d);
	}
	return dialogue_settle(s->d, outcome);
}

static bool
rcpt_reply(struct session *s)
{
	if (s->d->reply.code < DIALOGUE_TEMPORARY) {
		s->accepted++;
		buf_addc(s->d->report, 'r');
		dialogue_record_end(s->d);
		return true;
	}
	if (s->again)
		return refused_again(s);
	dialogue_record_reply(s->d, s->d->reply.code >= DIALOGUE_PERMANENT ? 'h' : 's', "",
	    " does not like recipient.");
	return s->d->reply.code != DIALOGUE_CLOSING || give_up(s, DIALOGUE_NEXT);
}

/* The codes of success are not told apart, as ever; but a server that has said more than it was
 * asked about the message before would be understood a reply late, and that shows here. */
static bool
data_reply(struct session *s)
{
	if (s->again && s->d->reply.code != DIALOGUE_TEXT)
		return refused_again(s);
	return s->d->reply.code < DIALOGUE_TEMPORARY ||
	    dialogue_refused(s->d, "", " failed on DATA command.");
}

/* Its reply, as it were. */
static void
leave_out(struct session *s)
{
	dialogue_record(s->d, 'h', "",
	    " does not take this address, which is in UTF-8. (#5.6.7)\n");
	dialogue_record_end(s->d);
}

static bool
command_reply(struct session *s, size_t number)
{
	if (number == 0)
		return mail_reply(s);
	return number <= s->job->n ? rcpt_reply(s) : data_reply(s);
}

/* A transaction failed while more commands are on their way.  If DATA is among them and accepted,
 * the server waits for a text: it gets an empty one (RFC 2920, 3.1), whose fate does not matter. */
static void
drain(struct session *s, size_t number, size_t sent)
{
	for (; number < sent; number++) {
		int64_t wait = deadline_after(s->job->waits.reply_ms);

		if (is_left_out(s, number))
			continue;
		if (!dialogue_read(s->d, deadline_first(wait, s->d->end))) {
			s->d->hung_up = true;
			return;
		}
		if (number == s->job->n + 1 && s->d->reply.code < DIALOGUE_TEMPORARY)
			io_puts(&s->d->out, ".\r\n");
	}
}

/* Puts the next command, or with PIPELINING a batch; returns how many have been put in all.  If a
 * refusal may mean that all begins anew, DATA waits until there was none. */
static size_t
put_batch(struct session *s, size_t sent, size_t commands)
{
	size_t batch = s->link->offers.pipelining ? SMTPCLIENT_BATCH : 1;

	if (s->again && sent < commands - 1)
		commands--;
	for (; batch > 0 && sent < commands; batch--)
		put_command(s, sent++);
	return sent;
}

/* MAIL to DATA. */
static bool
transact(struct session *s)
{
	const size_t commands = s->job->n + 2, data = commands - 1;
	size_t sent = 0;

	for (size_t number = 0; number < commands; number++) {
		if (number == data && !s->accepted) {
			(void)give_up(s, DIALOGUE_FINAL);
			drain(s, number, sent);
			return false;
		}
		if (number == sent)
			sent = put_batch(s, sent, commands);
		if (is_left_out(s, number)) {
			leave_out(s);
			continue;
		}
		if (!dialogue_reply(s->d))
			return false;
		if (!command_reply(s, number)) {
			if (s->d->outcome == DIALOGUE_FINAL)
				drain(s, number + 1, sent);
			return false;
		}
	}
	return true;
}

/* ---- the text ---- */

/* That it is closing is said of the connection, and else of the message. */
static bool
text_refused(struct session *s)
{
	return s->again && s->d->reply.code == DIALOGUE_CLOSING ? refused_again(s) :
	    dialogue_refused(s->d, "", " failed after I sent the message.");
}

/* Writing failed.  A server that had enough of the message may have said so before it closed; for
 * trouble of our own there is nothing to wait for. */
static bool
write_failed(struct session *s)
{
	s->d->in.tie = NULL;
	if ((s->d->out.error != EPIPE && s->d->out.error != ECONNRESET) ||
	    !dialogue_read(s->d, deadline_after(LATE_REPLY_MS)) ||
	    s->d->reply.code < DIALOGUE_TEMPORARY)
		return dialogue_died(s->d);
	s->d->at_dot = false;		/* it did not take the message */
	s->d->hung_up = true;
	return text_refused(s);
}

/* Unasked, or has it hung up? */
static bool
has_spoken(const struct smtplink *l)
{
	return io_peek(&l->d.in).n > 0 ||
	    io_wait_readable(l->d.in.fd, deadline_now()) != IO_TIMEOUT;
}

static bool
send_text(struct session *s)
{
	const int64_t start = deadline_after(s->job->waits.reply_ms);
	struct dotcrlf_encoder encoder = { 0 };
	enum message_status status;
	struct span piece;

	s->link->text_begun = true;
	if (!message_rewind(s->message))
		return dialogue_local_trouble(s->d, "ZUnable to read message. (#4.3.0)\n");
	while ((status = message_next(s->message, &piece)) == MESSAGE_OK) {
		s->d->out.deadline = start + (int64_t)(encoder.octets / SMTPCLIENT_RATE) * 1000;
		dotcrlf_encode(&encoder, &s->d->out, piece.p, piece.n);
		if (s->d->out.status != IO_OK)
			return write_failed(s);
	}
	if (status == MESSAGE_ERROR)
		return dialogue_local_trouble(s->d, "ZUnable to read message. (#4.3.0)\n");
	dotcrlf_encode_end(&encoder, &s->d->out);
	if (s->again && has_spoken(s->link))	/* that would count as the reply to the dot */
		return refused_again(s);
	/* From here on the server may have the whole message. */
	s->d->at_dot = true;
	io_puts(&s->d->out, ".\r\n");
	return io_flush(&s->d->out) == 0 || write_failed(s);
}

static bool
finish_text(struct session *s)
{
	if (!dialogue_read(s->d, deadline_after(s->job->waits.dot_ms)))
		return dialogue_died(s->d);
	if (s->d->reply.code >= DIALOGUE_TEMPORARY)
		return text_refused(s);
	dialogue_record_reply(s->d, 'K', "", " accepted message.");
	s->link->stands = true;
	return dialogue_settle(s->d, DIALOGUE_FINAL);
}

/* ---- the connection ---- */

void
smtpclient_open(struct smtplink *l, int fd, const char *ip)
{
	*l = (struct smtplink){ .fd = fd };
	(void)snprintf(l->ip, sizeof l->ip, "%s", ip);
	dialogue_start(&l->d, fd, l->ip);
}

static bool
begin(struct session *s)
{
	const struct starttls_terms *tls = &s->job->tls;

	return (tls->need != STARTTLS_FIRST || starttls_upgrade(s->d, tls)) && greet(s) &&
	    introduce(s) && secure(s) && log_in(s);
}

enum dialogue_outcome
smtpclient_send(struct smtplink *l, const struct smtpclient_job *job, struct message *message,
    struct buf *report)
{
	struct session s = { .link = l, .d = &l->d, .job = job, .message = message,
		.again = l->stands };

	l->stands = l->text_begun = false;
	dialogue_next(s.d, report, job->waits.reply_ms, deadline_after(job->waits.dialogue_ms));
	if ((s.again || begin(&s)) && check_message(&s) && check_utf8(&s) && transact(&s) &&
	    send_text(&s))
		(void)finish_text(&s);
	asciienvelope_free(&s.ascii);
	return buf_ok(report) ? l->d.outcome : DIALOGUE_MEMORY;
}

bool
smtpclient_stands(const struct smtplink *l)
{
	return l->stands && !has_spoken(l);
}

/* The result stands; whether this arrives does not matter, and nobody waits for it. */
static void
quit(struct dialogue *d)
{
	if (d->hung_up)
		return;
	d->out.deadline = deadline_now();
	io_puts(&d->out, "QUIT\r\n");
	(void)!io_flush(&d->out);
}

void
smtpclient_close(struct smtplink *l)
{
	quit(&l->d);
	dialogue_free(&l->d);
	(void)close(l->fd);
	l->stands = false;
}
