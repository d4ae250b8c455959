/* smtpclient: whole dialogues with a scripted server in a child process. */
#include "remote/smtpclient.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/io.h"
#include "clientrig.h"
#include "tap.h"

static const struct row rows[] = {
	{ "plain server", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n", "354 go\r\n",
	    "250 done\r\n" }, "Subject: x\n\nhi\n", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 250 done\n|",
	    "EHLO me.example\nMAIL FROM:<s@x>\nRCPT TO:<a@y>\nDATA\n"
	    "Subject: x\r\n\r\nhi\r\n.\r\nQUIT\n" },
	{ "HELO after 5xx", { "220 hi\r\n", "500 what\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, "", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 250 done\n|",
	    "EHLO me.example\nHELO me.example\nMAIL FROM:<s@x>\nRCPT TO:<a@y>\nDATA\n"
	    ".\r\nQUIT\n" },
	{ "no HELO after 421", { "220 hi\r\n", "421 busy\r\n" }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but my name was rejected.\nRemote host said: 421 busy\n|",
	    "EHLO me.example\nQUIT\n" },
	{ "both refused", { "220 hi\r\n", "550 no\r\n", "550 never\r\n" }, "x\n", "a",
	    DIALOGUE_NEXT,
	    "ZConnected to IP but my name was rejected.\nRemote host said: 550 never\n|",
	    "EHLO me.example\nHELO me.example\nQUIT\n" },
	{ "EHLO answered 251", { "220 hi\r\n", "251 odd\r\n" }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but my name was rejected.\nRemote host said: 251 odd\n|", NULL },
	{ "greeting 5xx", { "554 no\r\n" }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but greeting failed.\nRemote host said: 554 no\n|", "QUIT\n" },
	{ "greeting 250", { "250 hi\r\n" }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but greeting failed.\nRemote host said: 250 hi\n|", "QUIT\n" },
	{ "another protocol", { "SSH-2.0-x\r\n" }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but connection died. (#4.4.2)\n|", "" },
	{ "no greeting", { CLOSE }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but connection died. (#4.4.2)\n|", "" },
	{ "silence", { SILENT }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but connection died. (#4.4.2)\n|", "" },
	{ "endless greeting", { ENDLESS }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but connection died. (#4.4.2)\n|", NULL },
	{ "closes after MAIL", { "220 hi\r\n", "250 mx\r\n", CLOSE }, "x\n", "a", DIALOGUE_NEXT,
	    "ZConnected to IP but connection died. (#4.4.2)\n|", NULL },
	{ "closes after RCPT", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", CLOSE }, "x\n", "a",
	    DIALOGUE_NEXT, "ZConnected to IP but connection died. (#4.4.2)\n|", NULL },
	{ "closes after DATA", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n", CLOSE },
	    "x\n", "a", DIALOGUE_NEXT, "r|ZConnected to IP but connection died. (#4.4.2)\n|",
	    NULL },
	{ "closes after the dot", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", CLOSE }, "x\n", "a", DIALOGUE_FINAL,
	    "r|ZConnected to IP but connection died. Possible duplicate! (#4.4.2)\n|", NULL },
	{ "silent after the dot", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", SILENT }, "x\n", "a", DIALOGUE_FINAL,
	    "r|ZConnected to IP but connection died. Possible duplicate! (#4.4.2)\n|", NULL },
	{ "garbage after the dot", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", "ok\r\n" }, "x\n", "a", DIALOGUE_FINAL,
	    "r|ZConnected to IP but connection died. Possible duplicate! (#4.4.2)\n|", NULL },
	{ "421 to MAIL", { "220 hi\r\n", "250 mx\r\n", "421 later\r\n" }, "x\n", "a",
	    DIALOGUE_NEXT,
	    "ZConnected to IP but sender was rejected.\nRemote host said: 421 later\n|", NULL },
	{ "4xx to MAIL", { "220 hi\r\n", "250 mx\r\n", "452 full\r\n" }, "x\n", "a",
	    DIALOGUE_FINAL,
	    "ZConnected to IP but sender was rejected.\nRemote host said: 452 full\n|", NULL },
	{ "5xx to MAIL", { "220 hi\r\n", "250 mx\r\n", "553 no\r\n" }, "x\n", "a",
	    DIALOGUE_FINAL,
	    "DConnected to IP but sender was rejected.\nRemote host said: 553 no\n|", NULL },
	{ "any code below 400 is success", { "220 hi\r\n", "250 mx\r\n", "399 a\r\n", "200 b\r\n",
	    "250 go\r\n", "354 done\r\n" }, "x\n", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 354 done\n|", NULL },
	{ "some recipients", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n", "550 no\r\n",
	    "451 later\r\n", "354 go\r\n", "250 done\r\n" }, "x\n", "abc", DIALOGUE_FINAL,
	    "r|hIP does not like recipient.\nRemote host said: 550 no\n|"
	    "sIP does not like recipient.\nRemote host said: 451 later\n|"
	    "KIP accepted message.\nRemote host said: 250 done\n|", NULL },
	{ "no recipient", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "550 no\r\n",
	    "451 later\r\n" }, "x\n", "ab", DIALOGUE_FINAL,
	    "hIP does not like recipient.\nRemote host said: 550 no\n|"
	    "sIP does not like recipient.\nRemote host said: 451 later\n|DGiving up on IP.\n|",
	    "EHLO me.example\nMAIL FROM:<s@x>\nRCPT TO:<a@y>\nRCPT TO:<b@y>\nQUIT\n" },
	{ "421 to the first recipient", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "421 bye\r\n" },
	    "x\n", "ab", DIALOGUE_NEXT,
	    "sIP does not like recipient.\nRemote host said: 421 bye\n|DGiving up on IP.\n|",
	    NULL },
	{ "421 to the second recipient", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "421 bye\r\n" }, "x\n", "ab", DIALOGUE_NEXT,
	    "r|sIP does not like recipient.\nRemote host said: 421 bye\n|"
	    "ZIP closed before the message was sent.\nRemote host said: 421 bye\n|", NULL },
	{ "DATA refused", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n", "554 no\r\n" },
	    "x\n", "a", DIALOGUE_FINAL,
	    "r|DIP failed on DATA command.\nRemote host said: 554 no\n|", NULL },
	{ "421 to DATA", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n", "421 no\r\n" },
	    "x\n", "a", DIALOGUE_NEXT,
	    "r|ZIP failed on DATA command.\nRemote host said: 421 no\n|", NULL },
	{ "text refused", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n", "354 go\r\n",
	    "552 big\r\n" }, "x\n", "a", DIALOGUE_FINAL,
	    "r|DIP failed after I sent the message.\nRemote host said: 552 big\n|", NULL },
	{ "421 after the dot is final", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", "421 no\r\n" }, "x\n", "a", DIALOGUE_FINAL,
	    "r|ZIP failed after I sent the message.\nRemote host said: 421 no\n|", NULL },
	{ "no final newline, dots, CR", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, ".\n..a\r\nb\r.\nc\r", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 250 done\n|",
	    "EHLO me.example\nMAIL FROM:<s@x>\nRCPT TO:<a@y>\nDATA\n"
	    "..\r\n...a\r\nb .\r\nc\r\n.\r\nQUIT\n" },
	/* ---- extensions ---- */
	{ "all in one", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+250 b\r\n", "354 go\r\n",
	    "250 done\r\n" }, "hi\n", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 250 done\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=4\nRCPT TO:<a@y>\nDATA\nhi\r\n.\r\nQUIT\n" },
	{ "eight bits", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+250 b\r\n", "354 go\r\n",
	    "250 done\r\n" }, "h\xe9\n.\r\n", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 250 done\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=7 BODY=8BITMIME\nRCPT TO:<a@y>\nDATA\n"
	    "h\xe9\r\n..\r\n.\r\nQUIT\n" },
	{ "eight bits, not offered", { "220 hi\r\n", "250-mx\r\n250 SIZE\r\n", "250 a\r\n",
	    "250 b\r\n", "354 go\r\n", "250 done\r\n" }, "h\xe9\n", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 250 done\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=4\nRCPT TO:<a@y>\nDATA\nh\xe9\r\n.\r\nQUIT\n" },
	{ "as large as allowed", { "220 hi\r\n", "250-mx\r\n250 SIZE 5\r\n", "250 a\r\n",
	    "250 b\r\n", "354 go\r\n", "250 done\r\n" }, "abc", "a", DIALOGUE_FINAL,
	    "r|KIP accepted message.\nRemote host said: 250 done\n|", NULL },
	{ "too large", { "220 hi\r\n", "250-mx\r\n250 SIZE 5\r\n" }, "abcd\n", "a",
	    DIALOGUE_FINAL,
	    "DIP does not take messages of this size: 6 bytes, the limit is 5. (#5.3.4)\n|",
	    "EHLO me.example\nQUIT\n" },
	{ "no recipient, DATA under way", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+550 no\r\n",
	    "354 go\r\n" }, "hi\n", "a", DIALOGUE_FINAL,
	    "hIP does not like recipient.\nRemote host said: 550 no\n|DGiving up on IP.\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=4\nRCPT TO:<a@y>\nDATA\n.\r\nQUIT\n" },
	{ "no recipient, DATA refused", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+550 no\r\n",
	    "503 no recipients\r\n" }, "hi\n", "a", DIALOGUE_FINAL,
	    "hIP does not like recipient.\nRemote host said: 550 no\n|DGiving up on IP.\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=4\nRCPT TO:<a@y>\nDATA\nQUIT\n" },
	{ "sender refused, DATA under way", { "220 hi\r\n", EHLO_ALL, "+550 a\r\n", "+250 b\r\n",
	    "354 go\r\n" }, "hi\n", "a", DIALOGUE_FINAL,
	    "DConnected to IP but sender was rejected.\nRemote host said: 550 a\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=4\nRCPT TO:<a@y>\nDATA\n.\r\nQUIT\n" },
	{ "sender refused, server gone", { "220 hi\r\n", EHLO_ALL, "550 a\r\n", CLOSE }, "hi\n",
	    "a", DIALOGUE_FINAL,
	    "DConnected to IP but sender was rejected.\nRemote host said: 550 a\n|", NULL },
	{ "some recipients in a batch", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+550 b\r\n",
	    "+250 c\r\n", "354 go\r\n", "250 done\r\n" }, "hi\n", "ab", DIALOGUE_FINAL,
	    "hIP does not like recipient.\nRemote host said: 550 b\n|r|"
	    "KIP accepted message.\nRemote host said: 250 done\n|", NULL },
};

/* Far more than the socket holds, so that the client is still writing when the server speaks. */
static void
test_early(struct tap *t)
{
	static const struct {
		const char *what, *last;
		enum dialogue_outcome outcome;
		const char *report;
	} early[] = {
		{ "early 552 is used", EARLY "552 too big\r\n", DIALOGUE_FINAL,
		    "r|DIP failed after I sent the message.\nRemote host said: 552 too big\n|" },
		{ "early 421", EARLY "421 bye\r\n", DIALOGUE_NEXT,
		    "r|ZIP failed after I sent the message.\nRemote host said: 421 bye\n|" },
		{ "early 250 is nonsense", EARLY "250 ok\r\n", DIALOGUE_NEXT,
		    "r|ZConnected to IP but connection died. (#4.4.2)\n|" },
		{ "gone without a word", EARLY, DIALOGUE_NEXT,
		    "r|ZConnected to IP but connection died. (#4.4.2)\n|" },
		{ "stops reading", STOP, DIALOGUE_NEXT,
		    "r|ZConnected to IP but connection died. (#4.4.2)\n|" },
	};

	for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
		const char *const replies[] = { "220 hi\r\n", "250 mx\r\n", "250 a\r\n",
			"250 b\r\n", "354 ok\r\n", early[i].last, NULL };
		struct buf report = { 0 }, log = { 0 };
		FILE *message = file_with("0123456789012345678901234567890\n", 100000);

		is_num(t, dialogue(replies, "a", fileno(message), &short_waits, &report, &log),
		    early[i].outcome, early[i].what);
		is(t, buf_span(&report), span_str(early[i].report), early[i].what);
		buf_free(&report);
		buf_free(&log);
		(void)fclose(message);
	}
}

/* More recipients than go into one batch. */
static void
test_batches(struct tap *t)
{
	static const size_t counts[] = { SMTPCLIENT_BATCH - 2, SMTPCLIENT_BATCH - 1,
		SMTPCLIENT_BATCH, 190 };

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		const char *replies[220] = { "220 hi\r\n", EHLO_ALL };
		struct buf report = { 0 }, log = { 0 };
		size_t n = 2;
		FILE *message = file_with("x\n", 1);
		char letters[200];

		memset(letters, 'a', counts[i]);
		letters[counts[i]] = '\0';
		/* MAIL and recipients, held back by batch, so that a client that waits fails. */
		for (size_t command = 1; command <= counts[i] + 1; command++)
			replies[n++] = command % SMTPCLIENT_BATCH ? "+250 ok\r\n" :
			    "250 ok\r\n";
		replies[n++] = "354 go\r\n";
		replies[n++] = "250 done\r\n";
		is_num(t, dialogue(replies, letters, fileno(message), &short_waits, &report, &log),
		    DIALOGUE_FINAL, "batches");
		is_num(t, (long long)report.n, (long long)(2 * counts[i] +
		    strlen("KIP accepted message.\nRemote host said: 250 done\n|")),
		    "every recipient, and the message");
		buf_free(&report);
		buf_free(&log);
		(void)fclose(message);
	}
}

/* A message from a pipe: short ones can be sent twice, long ones have no known size. */
static void
test_pipe(struct tap *t)
{
	static const char *const replies[] = { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+250 b\r\n",
		"354 go\r\n", "250 done\r\n", NULL };
	struct buf report = { 0 }, log = { 0 }, text = { 0 };
	int fds[2];
	pid_t pid;

	if (pipe(fds) == -1)
		exit(1);
	(void)!io_write_all(fds[1], "hi\n", 3);
	(void)close(fds[1]);
	is_num(t, dialogue(replies, "a", fds[0], &short_waits, &report, &log), DIALOGUE_FINAL,
	    "short, from a pipe");
	is(t, buf_span(&log), span_str("EHLO me.example\nMAIL FROM:<s@x> SIZE=4\n"
	    "RCPT TO:<a@y>\nDATA\nhi\r\n.\r\nQUIT\n"), "its size is known");
	(void)close(fds[0]);
	while (text.n < 3 * MESSAGE_PIECE)
		buf_adds(&text, "a line\n");
	if (pipe(fds) == -1)
		exit(1);
	(void)fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(io_write_all(fds[1], text.p, text.n) == 0 ? 0 : 1);
	(void)close(fds[1]);
	buf_reset(&log);
	is_num(t, dialogue(replies, "a", fds[0], &short_waits, &report, &log), DIALOGUE_FINAL,
	    "long, from a pipe");
	ok(t, span_starts(buf_span(&log), span_str("EHLO me.example\nMAIL FROM:<s@x> "
	    "BODY=8BITMIME\nRCPT TO:<a@y>\nDATA\na line\r\na line\r\n")), "its size is not");
	ok(t, log.n > text.n, "all of it arrived");
	(void)close(fds[0]);
	(void)waitpid(pid, NULL, 0);
	buf_free(&report);
	buf_free(&log);
	buf_free(&text);
}

static void
test_unreadable(struct tap *t)
{
	static const char *const plain[] = { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
		"354 go\r\n", NULL };
	static const char *const sized[] = { "220 hi\r\n", EHLO_ALL, NULL };
	struct buf report = { 0 }, log = { 0 };
	int directory = open("/", O_RDONLY);

	is_num(t, dialogue(plain, "a", directory, &short_waits, &report, &log), DIALOGUE_FINAL,
	    "message cannot be read");
	is(t, buf_span(&report), span_str("r|ZUnable to read message. (#4.3.0)\n|"), "is said");
	is(t, buf_span(&log), span_str("EHLO me.example\nMAIL FROM:<s@x>\nRCPT TO:<a@y>\nDATA\n"),
	    "and the text never ends");
	is_num(t, dialogue(sized, "a", directory, &short_waits, &report, &log), DIALOGUE_FINAL,
	    "seen before MAIL");
	is(t, buf_span(&report), span_str("ZUnable to read message. (#4.3.0)\n|"), "is said");
	(void)close(directory);
	buf_free(&report);
	buf_free(&log);
}

static void
test_waits(struct tap *t)
{
	struct smtpclient_waits w = smtpclient_waits(10000, 1);

	is_num(t, w.reply_ms, 10000, "a reply may take timeoutremote");
	is_num(t, w.dialogue_ms, 3600000 + 10000, "the dialogue an hour at least");
	is_num(t, w.dot_ms, 600000, "the last reply ten minutes at least");
	w = smtpclient_waits(1300000, 2);
	is_num(t, w.dialogue_ms, 3900000 + 20000, "or three times timeoutremote");
	is_num(t, w.dot_ms, 1300000, "or timeoutremote");
	w = smtpclient_waits(600000, 1);
	is_num(t, w.dot_ms, 600000, "just ten minutes");
}

/* Each reply in time, but too many of them. */
static void
test_dialogue_limit(struct tap *t)
{
	static const char *const replies[] = { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", SILENT,
		NULL };
	static const struct smtpclient_waits waits = { 30000, 300, 30000 };
	struct buf report = { 0 }, log = { 0 };
	FILE *message = file_with("x\n", 1);

	is_num(t, dialogue(replies, "a", fileno(message), &waits, &report, &log), DIALOGUE_NEXT,
	    "the whole dialogue has a limit");
	is(t, buf_span(&report), span_str("ZConnected to IP but connection died. (#4.4.2)\n|"),
	    "and it is said");
	(void)fclose(message);
	buf_free(&report);
	buf_free(&log);
}

int
main(void)
{
	struct tap t = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	test_rows(&t, rows, sizeof rows / sizeof *rows);
	test_early(&t);
	test_batches(&t);
	test_pipe(&t);
	test_unreadable(&t);
	test_waits(&t);
	test_dialogue_limit(&t);
	return done(&t);
}
