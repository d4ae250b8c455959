/* smtpclient - one message to one server, over a connection that stands. */
#include "remote/smtpclient.h"

#include "lib/deadline.h"
#include "lib/io.h"
#include "mail/dotcrlf.h"
#include "remote/smtpreply.h"

#define INPUT_SIZE 8192
#define OUTPUT_SIZE 32768
#define LATE_REPLY_MS 2000	/* for a reply that was sent before the server hung up */

enum {
	READY = 220,
	FULFILLED = 250,
	CLOSING = 421,
	TEMPORARY = 400,	/* from here on it is a refusal, */
	PERMANENT = 500		/* from here on for good */
};

struct session {
	const char *ip;
	const struct smtpclient_job *job;
	struct message *message;
	struct buf *report;
	struct smtpreply reply;
	struct smtpreply_offers offers;
	struct message_facts facts;
	int64_t dialogue_end;
	size_t accepted;		/* recipients */
	bool at_dot;			/* the end of the message may have left */
	bool hung_up;			/* no QUIT */
	enum smtpclient_outcome outcome;
	struct io_in in;
	struct io_out out;
	char input[INPUT_SIZE];
	char output[OUTPUT_SIZE];
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

/* ---- records of the report ---- */

/* letter, before, ip, after. */
static void
record(struct session *s, char letter, const char *before, const char *after)
{
	buf_addc(s->report, letter);
	buf_adds(s->report, before);
	buf_adds(s->report, s->ip);
	buf_adds(s->report, after);
}

static void
record_end(struct session *s)
{
	buf_addc(s->report, '\0');
}

/* A record that ends with the reply. */
static void
record_reply(struct session *s, char letter, const char *before, const char *after)
{
	record(s, letter, before, after);
	buf_adds(s->report, "\nRemote host said: ");
	buf_addspan(s->report, smtpreply_said(&s->reply));
	record_end(s);
}

static char
refusal_letter(const struct session *s)
{
	return s->reply.code >= PERMANENT ? 'D' : 'Z';
}

/* All functions below that return bool: true to go on; false when the outcome and the report are
 * settled. */

static bool
settle(struct session *s, enum smtpclient_outcome outcome)
{
	s->outcome = outcome;
	return false;
}

/* Refused by the reply at hand.  A server that says it is closing is as good as gone. */
static bool
refused(struct session *s, const char *before, const char *after)
{
	record_reply(s, refusal_letter(s), before, after);
	return settle(s, s->reply.code == CLOSING && !s->at_dot ? SMTPCLIENT_NEXT :
	    SMTPCLIENT_FINAL);
}

/* The server does not want to talk to us at all: never for good. */
static bool
unwelcome(struct session *s, const char *after)
{
	record_reply(s, 'Z', "Connected to ", after);
	return settle(s, SMTPCLIENT_NEXT);
}

static bool
died(struct session *s)
{
	record(s, 'Z', "Connected to ", s->at_dot ?
	    " but connection died. Possible duplicate! (#4.4.2)\n" :
	    " but connection died. (#4.4.2)\n");
	record_end(s);
	s->hung_up = true;
	return settle(s, s->at_dot ? SMTPCLIENT_FINAL : SMTPCLIENT_NEXT);
}

static bool
local_trouble(struct session *s, const char *text)
{
	buf_adds(s->report, text);
	record_end(s);
	s->hung_up = true;
	return settle(s, SMTPCLIENT_FINAL);
}

/* ---- commands and replies ---- */

/* Reads the next reply; what was put before it goes out first.  false: none came. */
static bool
read_reply(struct session *s, int64_t deadline)
{
	enum smtpreply_status status = SMTPREPLY_MORE;

	smtpreply_reset(&s->reply);
	s->in.deadline = deadline;
	while (status == SMTPREPLY_MORE) {
		struct span have, left;

		if (io_fill(&s->in) != IO_OK)
			return false;
		left = have = io_peek(&s->in);
		status = smtpreply_feed(&s->reply, &left);
		io_skip(&s->in, have.n - left.n);
	}
	return status == SMTPREPLY_DONE;
}

static bool
get_reply(struct session *s)
{
	int64_t wait = deadline_after(s->job->waits.reply_ms);

	s->out.deadline = s->dialogue_end;
	return read_reply(s, deadline_first(wait, s->dialogue_end)) || died(s);
}

static bool
greet(struct session *s)
{
	if (!get_reply(s))
		return false;
	return s->reply.code == READY || unwelcome(s, " but greeting failed.");
}

static bool
hello(struct session *s, const char *verb)
{
	io_puts(&s->out, verb);
	io_puts(&s->out, s->job->helo);
	io_puts(&s->out, "\r\n");
	return get_reply(s);
}

static bool
introduce(struct session *s)
{
	if (!hello(s, "EHLO "))
		return false;
	if (s->reply.code == FULFILLED)
		s->offers = smtpreply_offers(&s->reply);
	else if (s->reply.code >= PERMANENT && !hello(s, "HELO "))
		return false;
	return s->reply.code == FULFILLED || unwelcome(s, " but my name was rejected.");
}

/* Looks at the message only if the server wants to know. */
static bool
check_message(struct session *s)
{
	if (!s->offers.size && !s->offers.eight_bit)
		return true;
	if (message_scan(s->message, &s->facts) != MESSAGE_OK)
		return local_trouble(s, "ZUnable to read message. (#4.3.0)\n");
	if (!s->facts.known || !s->offers.size_limit || s->facts.wire_size <= s->offers.size_limit)
		return true;
	record(s, 'D', "", " does not take messages of this size: ");
	buf_addnum(s->report, s->facts.wire_size);
	buf_adds(s->report, " bytes, the limit is ");
	buf_addnum(s->report, s->offers.size_limit);
	buf_adds(s->report, ". (#5.3.4)\n");
	record_end(s);
	return settle(s, SMTPCLIENT_FINAL);
}

static void
put_mail(struct session *s)
{
	io_puts(&s->out, "MAIL FROM:<");
	io_putspan(&s->out, s->job->sender);
	io_putc(&s->out, '>');
	if (s->offers.size && s->facts.known) {
		io_puts(&s->out, " SIZE=");
		io_putnum(&s->out, s->facts.wire_size);
	}
	if (s->offers.eight_bit && s->facts.eight_bit)
		io_puts(&s->out, " BODY=8BITMIME");
	io_puts(&s->out, "\r\n");
}

/* The commands of a transaction by number: 0 MAIL, 1..n RCPT, n + 1 DATA. */
static void
put_command(struct session *s, size_t number)
{
	if (number == 0) {
		put_mail(s);
	} else if (number <= s->job->n) {
		io_puts(&s->out, "RCPT TO:<");
		io_putspan(&s->out, s->job->recipients[number - 1]);
		io_puts(&s->out, ">\r\n");
	} else {
		io_puts(&s->out, "DATA\r\n");
	}
}

static bool
mail_reply(struct session *s)
{
	return s->reply.code < TEMPORARY ||
	    refused(s, "Connected to ", " but sender was rejected.");
}

static bool
give_up(struct session *s, enum smtpclient_outcome outcome)
{
	if (s->accepted)	/* only when the server closes in the middle */
		record_reply(s, 'Z', "", " closed before the message was sent.");
	else {
		record(s, 'D', "Giving up on ", ".\n");
		record_end(s);
	}
	return settle(s, outcome);
}

static bool
rcpt_reply(struct session *s)
{
	if (s->reply.code < TEMPORARY) {
		s->accepted++;
		buf_addc(s->report, 'r');
		record_end(s);
		return true;
	}
	record_reply(s, s->reply.code >= PERMANENT ? 'h' : 's', "", " does not like recipient.");
	return s->reply.code != CLOSING || give_up(s, SMTPCLIENT_NEXT);
}

static bool
data_reply(struct session *s)
{
	return s->reply.code < TEMPORARY || refused(s, "", " failed on DATA command.");
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

		if (!read_reply(s, deadline_first(wait, s->dialogue_end))) {
			s->hung_up = true;
			return;
		}
		if (number == s->job->n + 1 && s->reply.code < TEMPORARY)
			io_puts(&s->out, ".\r\n");
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
			(void)give_up(s, SMTPCLIENT_FINAL);
			drain(s, number, sent);
			return false;
		}
		if (number == sent)
			sent = put_batch(s, sent, commands);
		if (!get_reply(s))
			return false;
		if (!command_reply(s, number)) {
			if (s->outcome == SMTPCLIENT_FINAL)
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
	s->in.tie = NULL;
	if (!read_reply(s, deadline_after(LATE_REPLY_MS)) || s->reply.code < TEMPORARY)
		return died(s);
	s->at_dot = false;		/* it did not take the message */
	s->hung_up = true;
	return refused(s, "", " failed after I sent the message.");
}

static bool
send_text(struct session *s)
{
	const int64_t start = deadline_after(s->job->waits.reply_ms);
	struct dotcrlf_encoder encoder = { 0 };
	enum message_status status;
	struct span piece;

	if (!message_rewind(s->message))
		return local_trouble(s, "ZUnable to read message. (#4.3.0)\n");
	while ((status = message_next(s->message, &piece)) == MESSAGE_OK) {
		s->out.deadline = start + (int64_t)(encoder.octets / SMTPCLIENT_RATE) * 1000;
		dotcrlf_encode(&encoder, &s->out, piece.p, piece.n);
		if (s->out.status != IO_OK)
			return write_failed(s);
	}
	if (status == MESSAGE_ERROR)
		return local_trouble(s, "ZUnable to read message. (#4.3.0)\n");
	dotcrlf_encode_end(&encoder, &s->out);
	/* From here on the server may have the whole message. */
	s->at_dot = true;
	io_puts(&s->out, ".\r\n");
	return io_flush(&s->out) == 0 || write_failed(s);
}

static bool
finish_text(struct session *s)
{
	if (!read_reply(s, deadline_after(s->job->waits.dot_ms)))
		return died(s);
	if (s->reply.code >= TEMPORARY)
		return refused(s, "", " failed after I sent the message.");
	record_reply(s, 'K', "", " accepted message.");
	return settle(s, SMTPCLIENT_FINAL);
}

/* The result stands; whether this arrives does not matter, and nobody waits for it. */
static void
quit(struct session *s)
{
	if (s->hung_up)
		return;
	s->out.deadline = deadline_now();
	io_puts(&s->out, "QUIT\r\n");
	(void)!io_flush(&s->out);
}

enum smtpclient_outcome
smtpclient_send(int fd, const char *ip, const struct smtpclient_job *job, struct message *message,
    struct buf *report)
{
	struct session s;

	s = (struct session){ .ip = ip, .job = job, .message = message, .report = report,
		.dialogue_end = deadline_after(job->waits.dialogue_ms) };
	io_in_init(&s.in, fd, s.input, sizeof s.input);
	io_out_init(&s.out, fd, s.output, sizeof s.output);
	s.in.tie = &s.out;
	s.out.timeout_ms = job->waits.reply_ms;
	buf_reset(report);
	if (greet(&s) && introduce(&s) && check_message(&s) && transact(&s) && send_text(&s))
		(void)finish_text(&s);
	quit(&s);
	smtpreply_free(&s.reply);
	return buf_ok(report) ? s.outcome : SMTPCLIENT_MEMORY;
}
