/* The dialogue of qmail-smtpd: each command line gets one reply, made of clean lines; after
 * `354` the text is read to its end and nothing further; `250 ok ... qp` is said exactly once for
 * each message that the queue has taken; and only recipients that are allowed are in it.
 * The first byte of the input chooses the settings. */
#include "smtp/dialog.h"

#include "lib/ascii.h"
#include "mail/addr5321.h"
#include "rig.h"

#define LIMIT 64		/* databytes */
#define OUR_DOMAIN "ours.test"
#define SUFFIX "@relay.test"

const char *const fuzz_words[] = {
	"0", "1", "2", "5", "HELO x\r\n", "EHLO x\r\n", "MAIL FROM:<a@b>\r\n", "MAIL FROM:",
	"RCPT TO:<j@ours.test>\r\n", "RCPT TO:<j@far.test>\r\n", "RCPT TO:", "DATA\r\n", ".\r\n",
	"\r\n.\r\n", "QUIT\r\n", "RSET\r\n", "NOOP\r\n", "VRFY x\r\n", "HELP\r\n", "\r\n", "\n",
	"\r", "x@bad.test", "<@ours.test:k>", "\"a b\"@ours.test", " SIZE=65", " SIZE=9",
	" BODY=8BITMIME", "Received: x\r\n", "Subject: t\r\n", "..\r\n", "text\r\n",
	"RCPT TO:<j@ours.test>\r\nDATA\r\nhello\r\n.\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"<>", "\xff", "xyzzy", NULL
};

struct talk {
	struct span in, out;
	size_t accepted;		/* messages, as the client was told */
	bool ended;
};

/* Takes a whole reply and returns its code; 0 if there is none. */
static unsigned
next_reply(struct talk *t)
{
	struct span line = rig_line(&t->out), first = line;
	unsigned code;

	if (!line.n)
		return 0;
	for (;;) {
		promise(rig_is_line(line) && line.n >= 6 && line.n <= 512);
		promise(ascii_isdigit(line.p[0]) && line.p[0] >= '2' && line.p[0] <= '5');
		promise(ascii_isdigit(line.p[1]) && ascii_isdigit(line.p[2]));
		promise(span_eq(span_head(line, 3), span_head(first, 3)));
		promise(line.p[3] == ' ' || line.p[3] == '-');
		if (line.p[3] == ' ')
			break;
		line = rig_line(&t->out);
		promise(line.n != 0);
	}
	code = (unsigned)(first.p[0] - '0') * 100 + (unsigned)(first.p[1] - '0') * 10 +
	    (unsigned)(first.p[2] - '0');
	t->accepted += span_starts(first, span_str("250 ok ")) && first.n > 9;
	/* Too many errors: said behind the reply to the last one. */
	if (span_starts(t->out, span_str("421 too many"))) {
		promise(rig_line(&t->out).n > 0 && !t->out.n);
		t->ended = true;
	}
	t->ended = t->ended || code == 221 || code == 421;
	return code;
}

enum text_end { TEXT_COMPLETE, TEXT_CUT, TEXT_BARE_LF };

static enum text_end
skip_text(struct talk *t)
{
	for (;;) {
		struct span line = rig_line(&t->in);

		if (!line.n || line.p[line.n - 1] != '\n')
			return TEXT_CUT;
		if (line.n < 2 || line.p[line.n - 2] != '\r')
			return TEXT_BARE_LF;
		if (line.n == 3 && line.p[0] == '.')
			return TEXT_COMPLETE;
	}
}

static void
check_text(struct talk *t)
{
	unsigned code;

	switch (skip_text(t)) {
	case TEXT_COMPLETE:
		code = next_reply(t);
		promise(code == 250 || code == 451 || code == 552 || code == 554);
		break;
	case TEXT_CUT:
		t->ended = true;
		break;
	case TEXT_BARE_LF:
		promise(next_reply(t) == 451);
		t->ended = true;
	}
}

static void
check_talk(struct talk *t)
{
	promise(next_reply(t) == 220);
	while (!t->ended) {
		struct span line = rig_line(&t->in);
		unsigned code;

		if (!line.n || line.p[line.n - 1] != '\n')
			break;
		code = next_reply(t);
		promise(code != 0);
		promise((code == 500) == (line.n > SESSION_LINE_MAX));
		if (code == 354)
			check_text(t);
	}
	promise(t->out.n == 0);
}

static void
check_message(const struct smtpconf *conf)
{
	const struct rig_message *m = rig_queue_last();
	struct span rest = buf_span(&m->recipients);
	size_t n = 0;

	promise(m->n > 0 && m->sender.n <= ADDR5321_MAX);
	promise(span_starts(buf_span(&m->text), span_str("Received: from ")));
	for (; rest.n; n++) {
		struct span recipient = rig_take(&rest, '\0');
		struct span domain = addr5321_domain(recipient);

		promise(recipient.n > 0 && rig_is_text(recipient));
		promise(recipient.n <= ADDR5321_MAX + sizeof SUFFIX);
		if (!conf->intake.relay_client && span_rchr(recipient, '@') < recipient.n)
			promise(ascii_ieq(domain, span_str(OUR_DOMAIN)));
	}
	promise(n == m->n);
	if (conf->intake.size_limit) {
		struct span text = buf_span(&m->text);

		(void)rig_line(&text);
		(void)rig_line(&text);
		promise(text.n <= LIMIT);
	}
}

static void
configure(struct smtpconf *conf, unsigned choice)
{
	buf_adds(&conf->greeting, "mx.ours.test");
	buf_adds(&conf->local_ip_host, OUR_DOMAIN);
	conf->has_local_ip_host = choice & 1;
	conf->timeout_ms = 1000;
	conf->intake.size_limit = choice & 2 ? LIMIT : 0;
	conf->intake.relay_client = choice & 4 ? SUFFIX : NULL;
	conf->intake.relay.restricted = true;
	set_add(&conf->intake.relay.hosts, span_str(OUR_DOMAIN), span_str(""));
	set_add(&conf->intake.bad_senders, span_str("@bad.test"), span_str(""));
	promise(set_finish(&conf->intake.relay.hosts) && set_finish(&conf->intake.bad_senders));
	conf->intake.peer.remote_host = span_str("unknown");
	conf->intake.peer.remote_ip = span_str("192.0.2.1");
	conf->intake.peer.local_name = span_str("mx.ours.test");
	rig_queue_reset((enum rig_queue_mood)(choice >> 3 & 3));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n);
	struct smtpconf conf = { 0 };
	struct session session;
	struct buf said = { 0 };
	struct talk talk;

	configure(&conf, n ? p[0] & 31 : 0);
	in = span_tail(in, 1);
	session_init(&session, &conf);
	session.in.fd = rig_file(0, in);
	session.out.fd = rig_file(1, span_str(""));
	(void)!dialog_run(&session);
	rig_file_text(1, &said);
	talk = (struct talk){ .in = in, .out = buf_span(&said) };
	check_talk(&talk);
	promise(rig_queue_count() == talk.accepted && rig_queue_open() == 0);
	if (talk.accepted)
		check_message(&conf);
	session_free(&session);
	smtpconf_free(&conf);
	buf_free(&said);
	return 0;
}
