/* session: how long a connection may last, with a clock that was started earlier. */
#include "smtp/session.h"

#include <sys/socket.h>

#include "scratch.h"
#include "smtp/dialog.h"
#include "tap.h"

/* What a session with this AUTH says that began age_ms ago and took text_bytes, to a client that
 * sends `sent` and then stays silent but connected. */
static void
converse(const struct authconf *auth, int64_t age_ms, uint64_t text_bytes, const char *sent,
    char *said, size_t size, bool *quit)
{
	struct smtpconf conf = { .timeout_ms = 1000, .auth = *auth };
	struct session *s = malloc(sizeof *s);
	int fds[2];
	ssize_t n;

	buf_adds(&conf.greeting, "mx");
	if (!s || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		abort();
	session_init(s, &conf);
	s->in.fd = s->out.fd = fds[0];
	s->begun -= age_ms;
	s->text_bytes = text_bytes;
	if (io_write_all(fds[1], sent, strlen(sent)) == -1)
		abort();
	*quit = dialog_run(s);
	(void)shutdown(fds[0], SHUT_WR);
	n = recv(fds[1], said, size - 1, MSG_WAITALL);
	said[n < 0 ? 0 : n] = '\0';
	(void)close(fds[0]);
	(void)close(fds[1]);
	session_free(s);
	smtpconf_free(&conf);
	free(s);
}

static const struct {
	const char *name;
	int64_t age_ms;
	uint64_t text_bytes;
	const char *sent;
	const char *said;
	bool quit;
} rows[] = {
	{ "young", 0, 0, "NOOP\r\nQUIT\r\n", "220 mx ESMTP\r\n250 ok\r\n221 mx\r\n", true },
	{ "young and silent", 0, 0, "", "220 mx ESMTP\r\n451 timeout (#4.4.2)\r\n", false },
	{ "just before its end", SESSION_MAX_MS - 5000, 0, "QUIT\r\n", "220 mx ESMTP\r\n221 mx\r\n",
	    true },
	{ "at its end", SESSION_MAX_MS, 0, "", "220 mx ESMTP\r\n451 timeout (#4.4.2)\r\n", false },
	{ "long after", 10 * SESSION_MAX_MS, 0, "", "220 mx ESMTP\r\n451 timeout (#4.4.2)\r\n",
	    false },
	{ "after its end, but busy", SESSION_MAX_MS, 1000, "QUIT\r\n",
	    "220 mx ESMTP\r\n221 mx\r\n", true },
};

/* One login after the other, and a command. */
#define LOGIN "AUTH PLAIN AGpvZQB4\r\n"
#define LATER "454 oops, problem with child and I can't auth (#4.3.0)\r\n"

/* A checker that hangs is a failed login to the limit, and no answer to the client. */
static void
test_hanging_checker(struct tap *t)
{
	static char sh[] = "sh", dash_c[] = "-c", script[] = "exec sleep 100";
	char *const argv[] = { sh, dash_c, script, NULL };
	const struct authconf auth = { .configured = true, .password = true, .checker = argv,
		.cram_checker = argv, .checker_ms = 50 };
	char said[400];
	bool quit;

	converse(&auth, 0, 0, LOGIN LOGIN "NOOP\r\nQUIT\r\n", said, sizeof said, &quit);
	is(t, span_str(said), span_str("220 mx ESMTP\r\n" LATER LATER "250 ok\r\n221 mx\r\n"),
	    "two hang");
	converse(&auth, 0, 0, LOGIN LOGIN LOGIN "NOOP\r\n", said, sizeof said, &quit);
	is(t, span_str(said), span_str("220 mx ESMTP\r\n" LATER LATER LATER
	    "421 too many failed logins, closing (#4.7.0)\r\n"), "three are enough");
}

int
main(void)
{
	const struct authconf none = { .configured = false };
	struct tap t = { 0 };
	struct session s = { .begun = 1000 };

	is_num(&t, session_deadline(&s), 1000 + SESSION_MAX_MS, "an hour without text");
	s.text_bytes = 1000000;
	is_num(&t, session_deadline(&s), 1000 + SESSION_MAX_MS + 10000000,
	    "100 bytes give a second");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char said[256];
		bool quit;

		converse(&none, rows[i].age_ms, rows[i].text_bytes, rows[i].sent, said,
		    sizeof said, &quit);
		is(&t, span_str(said), span_str(rows[i].said), rows[i].name);
		ok(&t, quit == rows[i].quit, "%s: %s", rows[i].name,
		    rows[i].quit ? "the client said QUIT" : "the server ended it");
	}
	test_hanging_checker(&t);
	return done(&t);
}
