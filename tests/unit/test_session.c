/* session: how long a connection may last, with a clock that was started earlier. */
#include "smtp/session.h"

#include <sys/socket.h>

#include "scratch.h"
#include "smtp/dialog.h"
#include "tap.h"

/* What a session says that began age_ms ago and took text_bytes, to a client that sends `sent` and
 * then stays silent but connected. */
static void
converse(int64_t age_ms, uint64_t text_bytes, const char *sent, char *said, size_t size, bool *quit)
{
	struct smtpconf conf = { .timeout_ms = 1000 };
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

int
main(void)
{
	struct tap t = { 0 };
	struct session s = { .begun = 1000 };

	is_num(&t, session_deadline(&s), 1000 + SESSION_MAX_MS, "an hour without text");
	s.text_bytes = 1000000;
	is_num(&t, session_deadline(&s), 1000 + SESSION_MAX_MS + 10000000,
	    "100 bytes give a second");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char said[256];
		bool quit;

		converse(rows[i].age_ms, rows[i].text_bytes, rows[i].sent, said, sizeof said,
		    &quit);
		is(&t, span_str(said), span_str(rows[i].said), rows[i].name);
		ok(&t, quit == rows[i].quit, "%s: %s", rows[i].name,
		    rows[i].quit ? "the client said QUIT" : "the server ended it");
	}
	return done(&t);
}
