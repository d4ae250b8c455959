/* smtpclient - one message to one server, over a connection that stands. */
#include "remote/smtpclient.h"

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/utf8.h"
#include "mail/dotcrlf.h"
#include "remote/asciienvelope.h"
#include "remote/smtpreply.h"

#define LATE_REPLY_MS 2000	/* for a reply that was sent before the server hung up */

struct session {
	struct dialogue d;
	const struct smtpclient_job *job;
	struct message *message;
	struct smtpreply_offers offers;
	struct message_facts facts;
	struct asciienvelope ascii;	/* instead of the job's, if it is made */
	size_t accepted;		/* recipients */
	bool logged_in;
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
	if (!dialogue_reply(&s->d))
		return false;
	return s->d.reply.code == DIALOGUE_READY ||
	    dialogue_unwelcome(&s->d, " but greeting failed.");
}

static bool
hello(struct session *s, const char *verb)
{
	io_puts(&s->d.out, verb);
	io_puts(&s->d.out, s->job->helo);
	io_puts(&s->d.out, "\r\n");
	return dialogue_reply(&s->d);
}

static bool
introduce(struct session *s)
{
	s->offers = (struct smtpreply_offers){ .size = false };
	if (!hello(s, "EHLO "))
		return false;
	if (s->d.reply.code == DIALOGUE_FULFILLED)
		s->offers = smtpreply_offers(&s->d.reply);
	else if (s->d.reply.code >= DIALOGUE_PERMANENT && !hello(s, "HELO "))
		return false;
	return s->d.reply.code == DIALOGUE_FULFILLED ||
	    dialogue_unwelcome(&s->d, " but my name was rejected.");
}

/* What was said before TLS counts for nothing. */
static bool
secure(struct session *s)
{
	bool encrypted;

	if (!starttls_negotiate(&s->d, &s->job->tls, s->offers.starttls, &encrypted))
		return false;
	if (!encrypted || introduce(s))
		return true;
	return dialogue_settle(&s->d, starttls_failed(&s->job->tls));
}

static bool
log_in(struct session *s)
{
	if (!s->job->login.user.n)
		return true;
	s->logged_in = login_perform(&s->d, &s->job->login, s->offers.auth);
	return s->logged_in;
}

/* Looks at the message only if the server wants to know. */
static bool
check_message(struct session *s)
{
	if (!s->offers.size && !s->offers.eight_bit)
		return true;
	if (message_scan(s->message, &s->facts) != MESSAGE_OK)
		return dialogue_local_trouble(&s->d, "ZUnable to read message. (#4.3.0)\n");
	if (!s->facts.known || !s->offers.size_limit || s->facts.wire_size <= s->offers.size_limit)
		return true;
	dialogue_record(&s->d, 'D', "", " does not take messages of this size: ");
	buf_addnum(s->d.report, s->facts.wire_size);
	buf_adds(s->d.report, " bytes, the limit is ");
	buf_addnum(s->d.report, s->offers.size_limit);
	buf_adds(s->d.report, ". (#5.3.4)\n");
	dialogue_record_end(&s->d);
	return dialogue_settle(&s->d, DIALOGUE_FINAL);
}

/* ---- addresses and headers in UTF-8 ---- */

static bool
refuse_utf8(struct session *s)
{
	dialogue_record(&s->d, 'D', "", " does not take addresses or headers in UTF-8. (#5.6.7)\n");
	dialogue_record_end(&s->d);
	return dialogue_settle(&s->d, DIALOGUE_FINAL);
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
		return dialogue_settle(&s->d, DIALOGUE_MEMORY);
	}
}

/* A bounce does not come by SMTP, but whom it goes to may have come with SMTPUTF8. */
static bool
is_utf8_bounce(const struct session *s)
{
	bool is = s->offers.utf8 && !s->job->sender.n;

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

	s->utf8 = s->offers.utf8 && (header || envelope);
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
	io_puts(&s->d.out, "MAIL FROM:<");
	io_putspan(&s->d.out, sender_of(s));
	io_putc(&s->d.out, '>');
	if (s->offers.size && s->facts.known) {
		io_puts(&s->d.out, " SIZE=");
		io_putnum(&s->d.out, s->facts.wire_size);
	}
	if (s->offers.eight_bit && s->facts.eight_bit)
		io_puts(&s->d.out, " BODY=8BITMIME");
	if (s->utf8)
		io_puts(&s->d.out, " SMTPUTF8");
	if (s->logged_in)
		login_put_parameter(&s->d, &s->job->login);
	io_puts(&s->d.out, "\r\n");
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
		io_puts(&s->d.out, "RCPT TO:<");
		io_putspan(&s->d.out, recipient_of(s, number));
		io_puts(&s->d.out, ">\r\n");
	} else {
		io_puts(&s->d.out, "DATA\r\n");
	}
}

static bool
mail_reply(struct session *s)
{
	return s->d.reply.code < DIALOGUE_TEMPORARY ||
	    dialogue_refused(&s->d, "Connected to ", " but sender was rejected.");
}

static bool
give_up(struct session *s, enum dialogue_outcome outcome)
{
	if (s->accepted)	/* only when the server closes in the middle */
		dialogue_record_reply(&s->d, 'Z', "", " closed before the message was sent.");
	else {
		dialogue_record(&s->d, 'D', "Giving up on ", ".\n");
		dialogue_record_end(&s->d);
	}
	return dialogue_settle(&s->d, outcome);
}

static bool
rcpt_reply(struct session *s)
{
	if (s->d.reply.code < DIALOGUE_TEMPORARY) {
		s->accepted++;
		buf_addc(s->d.report, 'r');
		dialogue_record_end(&s->d);
		return true;
	}
	dialogue_record_reply(&s->d, s->d.reply.code >= DIALOGUE_PERMANENT ? 'h' : 's', "",
	    " does not like recipient.");
	return s->d.reply.code != DIALOGUE_CLOSING || give_up(s, DIALOGUE_NEXT);
}

static bool
data_reply(struct session *s)
{
	return s->d.reply.code < DIALOGUE_TEMPORARY ||
	    dialogue_refused(&s->d, "", " failed on DATA command.");
}

/* Its reply, as it were. */
static void
leave_out(struct session *s)
{
	dialogue_record(&s->d, 'h', "",
	    " does not take this address, which is in UTF-8. (#5.6.7)\n");
	dialogue_record_end(&s->d);
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
		if (!dialogue_read(&s->d, deadline_first(wait, s->d.end))) {
			s->d.hung_up = true;
			return;
		}
		if (number == s->job->n + 1 && s->d.reply.code < DIALOGUE_TEMPORARY)
			io_puts(&s->d.out, ".\r\n");
	}
}

/* Puts the next command, or with PIPELINING a batch; returns how many have been put in all. */
static size_t
put_batch(struct session *s, size_t sent, size_t commands)
{
	size_t batch = s->offers.pipelining ? SMTPCLIENT_BATCH : 1;

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
		if (!dialogue_reply(&s->d))
			return false;
		if (!command_reply(s, number)) {
			if (s->d.outcome == DIALOGUE_FINAL)
				drain(s, number + 1, sent);
			return false;
		}
	}
	return true;
}

/* ---- the text ---- */

/* Writing failed.  A server that had enough of the message may have said so before it closed. */
static bool
write_failed(struct session *s)
{
	s->d.in.tie = NULL;
	if (!dialogue_read(&s->d, deadline_after(LATE_REPLY_MS)) ||
	    s->d.reply.code < DIALOGUE_TEMPORARY)
		return dialogue_died(&s->d);
	s->d.at_dot = false;		/* it did not take the message */
	s->d.hung_up = true;
	return dialogue_refused(&s->d, "", " failed after I sent the message.");
}

static bool
send_text(struct session *s)
{
	const int64_t start = deadline_after(s->job->waits.reply_ms);
	struct dotcrlf_encoder encoder = { 0 };
	enum message_status status;
	struct span piece;

	if (!message_rewind(s->message))
		return dialogue_local_trouble(&s->d, "ZUnable to read message. (#4.3.0)\n");
	while ((status = message_next(s->message, &piece)) == MESSAGE_OK) {
		s->d.out.deadline = start + (int64_t)(encoder.octets / SMTPCLIENT_RATE) * 1000;
		dotcrlf_encode(&encoder, &s->d.out, piece.p, piece.n);
		if (s->d.out.status != IO_OK)
			return write_failed(s);
	}
	if (status == MESSAGE_ERROR)
		return dialogue_local_trouble(&s->d, "ZUnable to read message. (#4.3.0)\n");
	dotcrlf_encode_end(&encoder, &s->d.out);
	/* From here on the server may have the whole message. */
	s->d.at_dot = true;
	io_puts(&s->d.out, ".\r\n");
	return io_flush(&s->d.out) == 0 || write_failed(s);
}

static bool
finish_text(struct session *s)
{
	if (!dialogue_read(&s->d, deadline_after(s->job->waits.dot_ms)))
		return dialogue_died(&s->d);
	if (s->d.reply.code >= DIALOGUE_TEMPORARY)
		return dialogue_refused(&s->d, "", " failed after I sent the message.");
	dialogue_record_reply(&s->d, 'K', "", " accepted message.");
	return dialogue_settle(&s->d, DIALOGUE_FINAL);
}

/* The result stands; whether this arrives does not matter, and nobody waits for it. */
static void
quit(struct session *s)
{
	if (s->d.hung_up)
		return;
	s->d.out.deadline = deadline_now();
	io_puts(&s->d.out, "QUIT\r\n");
	(void)!io_flush(&s->d.out);
}

enum dialogue_outcome
smtpclient_send(int fd, const char *ip, const struct smtpclient_job *job, struct message *message,
    struct buf *report)
{
	struct session s = { .job = job, .message = message };
	enum dialogue_outcome outcome;

	s.d.reply_ms = job->waits.reply_ms;
	s.d.end = deadline_after(job->waits.dialogue_ms);
	dialogue_start(&s.d, fd, ip, report);
	if ((job->tls.need != STARTTLS_FIRST || starttls_upgrade(&s.d, &job->tls)) && greet(&s) &&
	    introduce(&s) && secure(&s) && log_in(&s) && check_message(&s) && check_utf8(&s) &&
	    transact(&s) && send_text(&s))
		(void)finish_text(&s);
	quit(&s);
	outcome = s.d.outcome;
	asciienvelope_free(&s.ascii);
	dialogue_free(&s.d);
	return buf_ok(report) ? outcome : DIALOGUE_MEMORY;
}
