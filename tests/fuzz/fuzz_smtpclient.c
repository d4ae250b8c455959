/* The client of qmail-remote against a server that says anything: what it sends is SMTP, the report
 * has its records and nothing else, and a message is called accepted only when all of it was sent
 * and somebody was to get it; after a login, if there is one.  Input: options, message `|` what the
 * server says. */
#include "remote/smtpclient.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "mail/dotcrlf.h"
#include "remote/message.h"
#include "rig.h"

#define RECIPIENTS 3

#define USER "joe"
#define PASSWORD "secret"
#define LOGIN_PLAIN "am9lAGpvZQBzZWNyZXQ="	/* in base64 */
#define LOGIN_USER "am9l"
#define LOGIN_PASSWORD "c2VjcmV0"
#define LOGIN_DIGEST "am9lI"			/* its beginning */

const char *const fuzz_words[] = {
	"0", "1", "2", "3", "|", "Subject: x\n\nhi\n", ".\n", "..\n", "\n.", "\r\n", "\xff",
	"220 mx\r\n", "250 ok\r\n", "250-mx\r\n", "250 PIPELINING\r\n", "250-SIZE 5\r\n",
	"250 SIZE\r\n", "250-8BITMIME\r\n", "354 go\r\n", "421 bye\r\n", "550 no\r\n",
	"450 later\r\n", "554-x\r\n",
	"220 a\r\n250-b\r\n250 PIPELINING\r\n250 c\r\n250 d\r\n250 e\r\n250 f\r\n354 g\r\n"
	"250 h\r\n",
	"250-AUTH PLAIN\r\n", "250-AUTH LOGIN\r\n", "250 AUTH CRAM-MD5\r\n", "334 \r\n",
	"334 PHhAeT4=\r\n", "235 in\r\n", "432 old\r\n", "535 no\r\n",
	"220 a\r\n250-b\r\n250 AUTH PLAIN\r\n334 \r\n235 c\r\n250 d\r\n250 e\r\n354 g\r\n"
	"250 h\r\n", "4", "5", "6", "7", "8", "9",
	"250 d\r\n250 e\r\n354 g\r\n250 h\r\n",
	"220 a\n250 b\n250 c\n250 d\n250 e\n550 f\n354 g\n250 h\n", "\x1b[2J", "99 x\r\n", NULL
};

/* A line that a client may send: printable, CRLF at its end. */
static bool
is_command(struct span line)
{
	static const char *const verbs[] = { "EHLO me.test", "HELO me.test",
		"MAIL FROM:<s@x.test>", "RCPT TO:<a@y.test>", "RCPT TO:<b@y.test>",
		"RCPT TO:<c@y.test>", "DATA", "QUIT", ".", "AUTH PLAIN\r", "AUTH LOGIN\r",
		"AUTH CRAM-MD5\r", "*\r", LOGIN_PLAIN "\r", LOGIN_USER "\r",
		LOGIN_PASSWORD "\r", LOGIN_DIGEST, NULL };

	for (size_t i = 0; verbs[i]; i++)
		if (span_starts(line, span_str(verbs[i])))
			return rig_is_line(line) && line.n <= 512;
	return false;
}

/* The text between DATA and its dot, decoded; all of it must be there. */
static void
take_text(struct span *sent, struct buf *text)
{
	struct dotcrlf_decoder d = { 0 };
	char *out = malloc(sent->n + DOTCRLF_DECODE_EXTRA);
	size_t n;

	promise(out != NULL);
	promise(dotcrlf_decode(&d, sent, out, &n) == DOTCRLF_END);
	buf_add(text, out, n);
	free(out);
}

/* The text arrives as it is, but for CR, and with an LF at its end. */
static void
check_text(struct span message, struct span text)
{
	if (span_chr(message, '\r') < message.n)
		return;
	promise(span_starts(text, message));
	promise(text.n == message.n + (message.n && message.p[message.n - 1] != '\n'));
}

/* Everything that was sent, in which `texts` messages were accepted.  Of one that was not, sending
 * may have stopped anywhere. */
static void
check_sent(struct span sent, unsigned texts, struct span message)
{
	while (sent.n) {
		struct span line = rig_line(&sent);
		struct buf text = { 0 };

		promise(is_command(line));
		if (!span_starts(line, span_str("DATA")))
			continue;
		if (texts == 0)
			break;
		take_text(&sent, &text);
		check_text(message, buf_span(&text));
		buf_free(&text);
		texts--;
	}
	while (sent.n > 1)
		promise(rig_line(&sent).n > 1 && sent.p[-1] == '\n' && sent.p[-2] == '\r');
}

/* Where the word is; text.n if it is not there. */
static size_t
find(struct span text, const char *word)
{
	struct span wanted = span_str(word);

	for (size_t i = 0; i + wanted.n <= text.n; i++)
		if (span_starts(span_tail(text, i), wanted))
			return i;
	return text.n;
}

static bool
holds(struct span text, const char *word)
{
	return find(text, word) < text.n;
}

/* Without a login nobody logs in; with one, no mail goes without it. */
static void
check_login(struct span sent, bool login)
{
	struct span said = span_head(sent, find(sent, "\r\nDATA\r\n"));
	bool tried = holds(said, "\r\nAUTH "), mail = holds(said, "\r\nMAIL FROM");

	promise(login || (!tried && !holds(said, " AUTH=")));
	promise(!login || !mail || (tried && holds(said, " AUTH=" USER)));
}

/* Records r h s, one for each recipient at most, then one K Z D.  Returns that one. */
static char
check_report(struct span report, size_t *accepted)
{
	size_t recipients = 0;

	*accepted = 0;
	for (;;) {
		struct span record;

		promise(report.n > 0 && report.p[report.n - 1] == '\0');
		record = rig_take(&report, '\0');
		promise(record.n > 0 && rig_is_text(record));
		if (record.p[0] == 'K' || record.p[0] == 'Z' || record.p[0] == 'D') {
			promise(report.n == 0 && record.n > 1);
			return record.p[0];
		}
		promise(record.p[0] == 'r' || record.p[0] == 'h' || record.p[0] == 's');
		promise(++recipients <= RECIPIENTS);
		*accepted += record.p[0] == 'r';
	}
}

/* One message, and over the same connection another one, if the first was taken.  Whether it was
 * accepted. */
static bool
deliver(struct smtplink *link, const struct smtpclient_job *job, struct message *source)
{
	struct buf report = { 0 };
	bool first = !link->stands;
	enum dialogue_outcome outcome = smtpclient_send(link, job, source, &report);
	size_t accepted = 0;
	char letter = 'Z';

	promise(outcome != DIALOGUE_MEMORY);
	if (first || outcome == DIALOGUE_FINAL)
		letter = check_report(buf_span(&report), &accepted);
	promise(letter != 'K' || accepted > 0);
	promise(letter == 'K' || !link->stands);
	buf_free(&report);
	return letter == 'K';
}

static void
run(struct span message, struct span says, size_t n, bool login, bool again)
{
	static const struct span recipients[RECIPIENTS] = { { "a@y.test", 8 }, { "b@y.test", 8 },
		{ "c@y.test", 8 } };
	struct smtpclient_job job = { .helo = "me.test", .sender = span_str("s@x.test"),
		.recipients = recipients, .n = n, .waits = { 2000, 2000, 2000 } };
	const struct login joe = { span_str(USER), span_str(PASSWORD) };
	struct message source;
	struct smtplink link;
	struct buf sent = { 0 };
	unsigned texts;

	if (login)
		job.login = joe;
	message_open(&source, rig_file(0, message));
	smtpclient_open(&link, rig_peer(says), "192.0.2.1");
	texts = deliver(&link, &job, &source);
	if (again && texts == 1) {
		link.stands = true;	/* as if the rest of what it says came later */
		texts += deliver(&link, &job, &source);
	}
	smtpclient_close(&link);
	rig_peer_heard(&sent);
	check_login(buf_span(&sent), login);
	check_sent(buf_span(&sent), texts, message);
	buf_free(&sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n), message;
	size_t recipients = n ? p[0] % RECIPIENTS + 1 : 1;

	in = span_tail(in, 1);
	message = rig_take(&in, '|');
	run(message, in, recipients, n > 1 && p[0] / RECIPIENTS % 2,
	    n > 1 && p[0] / RECIPIENTS / 2 % 2);
	return 0;
}
