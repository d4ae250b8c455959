/* outgoing: addresses in commands; the reports of what fails before a connection; what is sent over
 * one that stands. */
#include "remote/outgoing.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static const struct {
	const char *what, *address, *wire;	/* NULL: refused */
} addresses[] = {
	{ "plain", "joe@x.org", "joe@x.org" },
	{ "null sender", "", "" },
	{ "no @", "plain", "plain" },
	{ "no @, not even quoted", "a b", "a b" },
	{ "space", "j d@x.org", "\"j d\"@x.org" },
	{ "quote", "a\"b@x", "\"a\\\"b\"@x" },
	{ "bracket in the local part", "a>b@x", "\"a>b\"@x" },
	{ "last @ counts", "a@b@c", "\"a@b\"@c" },
	{ "empty local part", "@x", "\"\"@x" },
	{ "eight bits", "\xe9@x", "\"\xe9\"@x" },
	{ "CR LF", "a\r\nDATA@x", NULL },
	{ "LF in the domain", "a@x\nRSET", NULL },
	{ "CR", "a\r@x", NULL },
	{ "tab", "a\tb@x", NULL },
	{ "DEL", "a\177@x", NULL },
	{ "escape", "a\33@x", NULL },
	{ "closing bracket in the domain", "a@x> SIZE=1", NULL },
	{ "opening bracket in the domain", "a@<x", NULL },
	{ "bracket, no @", "a> X", NULL },
};

static void
test_addresses(struct tap *t)
{
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct buf wire = { 0 };
		bool fits = outgoing_address(&wire, span_str(addresses[i].address));

		ok(t, fits == (addresses[i].wire != NULL), "%s", addresses[i].what);
		if (fits)
			is(t, buf_span(&wire), span_str(addresses[i].wire), addresses[i].what);
		buf_free(&wire);
	}
}

/* Runs until something is known to be wrong; nothing is asked and nobody is called. */
static void
test_refusals(struct tap *t)
{
	static char good[] = "joe@x.org", bad[] = "joe@x\n", none[] = "";
	static const struct {
		const char *what, *sender;
		char *recipients[3];
		size_t n;
		const char *host, *report;
	} rows[] = {
		{ "sender with LF", "a\nb@x", { good, NULL }, 1, "x",
		    "DThe sender address holds bytes that SMTP cannot carry. (#5.1.7)\n" },
		{ "recipient with LF", "", { bad, NULL }, 1, "x",
		    "DA recipient address holds bytes that SMTP cannot carry. (#5.1.3)\n" },
		{ "second recipient", "", { good, bad, NULL }, 2, "x",
		    "DA recipient address holds bytes that SMTP cannot carry. (#5.1.3)\n" },
		{ "ourselves", "", { none, NULL }, 1, "[127.0.0.1]",
		    "DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
		    "control/locals does not have it, so it is not delivered here. (#5.4.6)\n" },
		{ "impossible name", "", { good, NULL }, 1, "a..b\1",
		    "DSorry, I couldn't find any host named a..b?. (#5.1.2)\n" },
	};
	struct settings settings = { .connect_ms = 1000, .timeout_ms = 1000 };
	struct dns *dns = dns_open();

	buf_adds(&settings.helohost, "me");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct message message;
		struct buf report = { 0 };
		const struct outgoing d = { .sender = span_str(rows[i].sender),
			.recipients = rows[i].recipients, .n = rows[i].n, .settings = &settings,
			.route = { .host = span_str(rows[i].host), .port = SMTP_PORT },
			.dns = dns, .message = &message };

		message_open(&message, -1);
		outgoing_run(&d, &report);
		is(t, buf_span(&report), span_of(rows[i].report, strlen(rows[i].report) + 1),
		    rows[i].what);
		buf_free(&report);
	}
	settings_free(&settings);
	dns_close(dns);
}

/* ---- a connection for several messages ---- */

/* Takes every message of every connection, and never ends by itself. */
static void
serve(int listening)
{
	char heard[4096];

	for (;;) {
		int fd = accept(listening, NULL, NULL);
		ssize_t r;

		(void)!write(fd, "220 mx\r\n", 8);
		while ((r = read(fd, heard, sizeof heard - 1)) > 0) {
			heard[r] = '\0';
			(void)!write(fd, strncmp(heard, "DATA", 4) == 0 ? "354 go\r\n" :
			    "250 ok\r\n", 8);
		}
		(void)close(fd);
	}
}

static pid_t
start_server(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	if (bind(fd, (struct sockaddr *)&address, n) == -1 || listen(fd, 5) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &n) == -1)
		exit(1);
	*port = ntohs(address.sin_port);
	if ((pid = fork()) == 0)
		serve(fd);
	(void)close(fd);
	return pid;
}

/* What becomes of a message that the server has taken, when there is no memory for its report: it
 * must not be sent once more. */
static void
test_again(struct tap *t)
{
	static char recipient[] = "joe@x.org";
	char *recipients[] = { recipient, NULL };
	struct settings settings = { .connect_ms = 5000, .timeout_ms = 5000 };
	struct dns *dns = dns_open();
	struct reuse reuse = { .most = 9 };
	struct message message;
	FILE *text = tmpfile();
	struct outgoing d = { .recipients = recipients, .n = 1, .settings = &settings, .dns = dns,
		.message = &message, .reuse = &reuse,
		.route = { .fixed = true, .host = span_str("127.0.0.1") } };
	pid_t pid = start_server(&d.route.port);

	buf_adds(&settings.helohost, "me");
	for (uint64_t i = 1; i <= 3; i++) {
		struct buf report = BUF_CAP(i == 2 ? 8 : 1000);

		message_open(&message, fileno(text));
		outgoing_run(&d, &report);
		ok(t, buf_ok(&report) == (i != 2), "message %u: is there a report?", (unsigned)i);
		is_num(t, (long long)reuse.sent, (long long)i, "  messages over the connection");
		buf_free(&report);
	}
	reuse_end(&reuse);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)fclose(text);
	settings_free(&settings);
	dns_close(dns);
}

int
main(void)
{
	struct tap t = { 0 };

	test_addresses(&t);
	test_refusals(&t);
	test_again(&t);
	return done(&t);
}
