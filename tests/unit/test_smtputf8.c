/* smtpclient: what comes with SMTPUTF8 and goes to servers with it and without. */
#include "remote/smtpclient.h"

#include <signal.h>

#include "clientrig.h"

#define EHLO_UTF8 "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"

/* What qmail-queue and qmail-smtpd put in front. */
#define QUEUED "Received: (qmail 9 invoked by uid 7 with UTF8SMTP x); 9 Nov 2026 09:09:09 -0000\n"
#define QUEUED_SEEN \
	"Received: (qmail 9 invoked by uid 7 with UTF8SMTP x); 9 Nov 2026 09:09:09 -0000\r\n"
#define BY_UTF8 "Received: from a (HELO b) (9.9.9.9)\n  by mx with UTF8SMTPSA; 9 Nov 2026\n"
#define BY_UTF8_SEEN \
	"Received: from a (HELO b) (9.9.9.9)\r\n  by mx with UTF8SMTPSA; 9 Nov 2026\r\n"
#define BY_ESMTP "Received: from a (with UTF8SMTP (x)) by mx with ESMTP; 9 Nov 2026\n"
#define BY_ESMTP_SEEN "Received: from a (with UTF8SMTP (x)) by mx with ESMTP; 9 Nov 2026\r\n"
#define ACCEPTED "r|KIP accepted message.\nRemote host said: 250 done\n|"
#define NO_UTF8 "DIP does not take addresses or headers in UTF-8. (#5.6.7)\n|"

static const struct row rows[] = {
	{ "UTF-8 in the sender, offered", { "220 hi\r\n", EHLO_UTF8, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, QUEUED BY_UTF8 "\nhi\n", "\303\274@x>a@y",
	    DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<\303\274@x> SMTPUTF8\nRCPT TO:<a@y>\nDATA\n"
	    QUEUED_SEEN BY_UTF8_SEEN "\r\nhi\r\n.\r\nQUIT\n" },
	{ "in a recipient, offered", { "220 hi\r\n", EHLO_UTF8, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, BY_UTF8 "\n", "s@x>a@\303\274",
	    DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<s@x> SMTPUTF8\nRCPT TO:<a@\303\274>\nDATA\n"
	    BY_UTF8_SEEN "\r\n.\r\nQUIT\n" },
	{ "in the header, offered", { "220 hi\r\n", EHLO_UTF8, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, BY_UTF8 "To: \303\274\n\n", "s@x>a@y",
	    DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<s@x> BODY=8BITMIME SMTPUTF8\nRCPT TO:<a@y>\nDATA\n"
	    BY_UTF8_SEEN "To: \303\274\r\n\r\n.\r\nQUIT\n" },
	{ "came with it, needs it not", { "220 hi\r\n", EHLO_UTF8, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, BY_UTF8 "\n\303\274\n", "s@x>a@y",
	    DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<s@x> BODY=8BITMIME\nRCPT TO:<a@y>\nDATA\n"
	    BY_UTF8_SEEN "\r\n\303\274\r\n.\r\nQUIT\n" },
	{ "came without it: as ever", { "220 hi\r\n", EHLO_UTF8, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, BY_ESMTP BY_UTF8 "To: \303\274\n\n",
	    "\303\274@x>\303\274@y", DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<\303\274@x> BODY=8BITMIME\nRCPT TO:<\303\274@y>\nDATA\n"
	    BY_ESMTP_SEEN BY_UTF8_SEEN "To: \303\274\r\n\r\n.\r\nQUIT\n" },
	{ "came without it, not offered", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, "To: \303\274\n\n", "\303\274@x>\303\274@y",
	    DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<\303\274@x>\nRCPT TO:<\303\274@y>\nDATA\n"
	    "To: \303\274\r\n\r\n.\r\nQUIT\n" },
	{ "not offered, in the header", { "220 hi\r\n", EHLO_ALL }, BY_UTF8 "To: \303\274\n\n",
	    "s@x>a@y", DIALOGUE_FINAL, NO_UTF8, "EHLO me.example\nQUIT\n" },
	{ "not offered, in the header, HELO", { "220 hi\r\n", "500 a\r\n", "250 mx\r\n" },
	    BY_UTF8 "To: \303\274\n\n", "s@x>a@y", DIALOGUE_FINAL, NO_UTF8,
	    "EHLO me.example\nHELO me.example\nQUIT\n" },
	{ "not offered, in the sender", { "220 hi\r\n", EHLO_ALL }, BY_UTF8 "\n",
	    "\303\274@x>a@y", DIALOGUE_FINAL, NO_UTF8, "EHLO me.example\nQUIT\n" },
	{ "not offered, in every recipient", { "220 hi\r\n", EHLO_ALL }, BY_UTF8 "\n",
	    "s@x>\303\274@y,\303\274@z", DIALOGUE_FINAL, NO_UTF8, "EHLO me.example\nQUIT\n" },
	{ "not offered, in one recipient", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+250 b\r\n",
	    "+250 c\r\n", "354 go\r\n", "250 done\r\n" }, BY_UTF8 "\n",
	    "s@x>a@y,\303\274@y,b@y", DIALOGUE_FINAL,
	    "r|hIP does not take this address, which is in UTF-8. (#5.6.7)\n|" ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=76\nRCPT TO:<a@y>\nRCPT TO:<b@y>\nDATA\n"
	    BY_UTF8_SEEN "\r\n.\r\nQUIT\n" },
	{ "one after the other", { "220 hi\r\n", "250 mx\r\n", "250 a\r\n", "250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, BY_UTF8 "\n", "s@x>\303\274@y,b@y", DIALOGUE_FINAL,
	    "hIP does not take this address, which is in UTF-8. (#5.6.7)\n|" ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<s@x>\nRCPT TO:<b@y>\nDATA\n"
	    BY_UTF8_SEEN "\r\n.\r\nQUIT\n" },
	{ "the one left is refused", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+550 b\r\n",
	    "354 go\r\n" }, BY_UTF8 "\n", "s@x>\303\274@y,b@y", DIALOGUE_FINAL,
	    "hIP does not take this address, which is in UTF-8. (#5.6.7)\n|"
	    "hIP does not like recipient.\nRemote host said: 550 b\n|DGiving up on IP.\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=76\nRCPT TO:<b@y>\nDATA\n.\r\nQUIT\n" },
	{ "sender refused, one left out", { "220 hi\r\n", EHLO_ALL, "+550 a\r\n", "+250 b\r\n",
	    "354 go\r\n" }, BY_UTF8 "\n", "s@x>\303\274@y,b@y", DIALOGUE_FINAL,
	    "DConnected to IP but sender was rejected.\nRemote host said: 550 a\n|",
	    "EHLO me.example\nMAIL FROM:<s@x> SIZE=76\nRCPT TO:<b@y>\nDATA\n.\r\nQUIT\n" },
	{ "a bounce, offered", { "220 hi\r\n", EHLO_UTF8, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, "\n", ">\303\274@y", DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<> SMTPUTF8\nRCPT TO:<\303\274@y>\nDATA\n"
	    "\r\n.\r\nQUIT\n" },
	{ "a bounce to what is no UTF-8", { "220 hi\r\n", EHLO_UTF8, "+250 a\r\n",
	    "+250 b\r\n", "354 go\r\n", "250 done\r\n" }, "\n", ">\374@y", DIALOGUE_FINAL,
	    ACCEPTED, "EHLO me.example\nMAIL FROM:<>\nRCPT TO:<\374@y>\nDATA\n"
	    "\r\n.\r\nQUIT\n" },
	{ "a bounce, not offered", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, "\n", ">\303\274@y", DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<> SIZE=2\nRCPT TO:<\303\274@y>\nDATA\n"
	    "\r\n.\r\nQUIT\n" },
	{ "not offered, in domains only", { "220 hi\r\n", EHLO_ALL, "+250 a\r\n", "+250 b\r\n",
	    "354 go\r\n", "250 done\r\n" }, BY_UTF8 "\n", "s@B\303\274cher.x>\"a b\"@\303\274.y",
	    DIALOGUE_FINAL, ACCEPTED,
	    "EHLO me.example\nMAIL FROM:<s@xn--bcher-kva.x> SIZE=76\n"
	    "RCPT TO:<\"a b\"@xn--tda.y>\nDATA\n" BY_UTF8_SEEN "\r\n.\r\nQUIT\n" },
	{ "not offered, a domain that is none", { "220 hi\r\n", EHLO_ALL }, BY_UTF8 "\n",
	    "s@x>a@\303\234.y", DIALOGUE_FINAL, NO_UTF8, "EHLO me.example\nQUIT\n" },
};

int
main(void)
{
	struct tap t = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	test_rows(&t, rows, sizeof rows / sizeof *rows);
	return done(&t);
}
