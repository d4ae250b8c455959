/* AUTH: whatever the client says, it gets clean lines; a checker is given three strings that fit
 * into its limit, the first two with something in them; 235 is said only after its yes; the third
 * refusal ends it; and nothing of what was said stays in memory.
 * The first byte of the input chooses the checker's exit code and the settings, each line that
 * follows is the argument of AUTH or an answer. */
#include "smtp/auth.h"

#include "lib/ascii.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"@", "A", "B", "C", "D", "H", "P", "PLAIN\r\n", "PLAIN AGpvZQBwdw==\r\n",
	"AGpvZQBwdw==\r\n", "am9lAGpvZQBwdw==\r\n", "YW5uAGpvZQBwdw==\r\n", "LOGIN\r\n",
	"LOGIN am9l\r\n", "am9l\r\n",
	"cHc=\r\n", "CRAM-MD5\r\n", "CRAM-MD5 x\r\n",
	"am9lIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n", "*\r\n", "=\r\n", "\r\n", "\n", " ",
	"AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\xff", NULL
};

static bool
is_wiped(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void
check_fields(struct span found)
{
	struct span user, secret;

	promise(found.n <= AUTH_LOGIN_MAX && found.n >= 5 && found.p[found.n - 1] == '\0');
	user = rig_take(&found, '\0');
	secret = rig_take(&found, '\0');
	promise(user.n > 0 && secret.n > 0);
	(void)rig_take(&found, '\0');
	promise(found.n == 0);
}

static void
check_said(struct span out)
{
	while (out.n) {
		struct span line = rig_line(&out);

		promise(rig_is_line(line) && line.n >= 6 && line.n <= 512);
		promise(line.p[0] >= '2' && line.p[0] <= '5' && line.p[3] == ' ');
	}
}

/* One command, which was read already. */
static enum reply
command(struct session *s, int code)
{
	const size_t before = rig_proc_count();
	const bool was_known = s->user.n > 0;
	enum reply r = auth_command(s, buf_span(&s->line));
	const bool asked = rig_proc_count() > before;

	promise(rig_proc_count() <= before + 1);
	promise((r == REPLY_AUTH_OK) == (!was_known && asked && code == 0));
	promise((s->user.n > 0) == (was_known || r == REPLY_AUTH_OK));
	promise((s->relay_client != NULL) == (s->user.n > 0));
	promise(s->auth_failures <= AUTH_FAILURES_MAX);
	promise((r == REPLY_AUTH_ENOUGH) == (s->auth_failures == AUTH_FAILURES_MAX));
	if (asked) {
		check_fields(buf_span(rig_proc_found()));
		promise(is_wiped(s->line.p, s->line.size));
		promise(is_wiped(s->in.buf, s->in.pos));
		promise(is_wiped(s->in.buf + s->in.end, s->in.size - s->in.end));
	}
	return r;
}

static void
talk(struct session *s, int code)
{
	enum reply r;

	do {
		if ((r = session_read_line(s, &s->line)) == REPLY_OK)
			r = command(s, code);
		reply_put(&s->out, r);
	} while (reply_effect(r) != REPLY_ENDS);
	promise(io_flush(&s->out) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const int codes[] = { 0, 1, 111, -1 };
	struct span in = span_tail(rig_input(p, n), 1);
	const unsigned choice = n ? p[0] : 0;
	const int code = codes[choice & 3];
	char program[] = "checker";
	char *argv[] = { program, NULL };
	struct smtpconf conf = { .timeout_ms = 1000, .auth = { .configured = true,
		.password = !(choice & 4), .cram = !(choice & 8), .challenge_first = choice & 16,
		.checker = argv, .cram_checker = argv } };
	struct session s;
	struct buf said = { 0 };

	conf.intake.peer.local_name = span_str("mx.ours.test");
	rig_proc_reset(code);
	session_init(&s, &conf);
	s.in.fd = rig_file(0, in);
	s.out.fd = rig_file(1, span_str(""));
	talk(&s, code);
	rig_file_text(1, &said);
	check_said(buf_span(&said));
	promise(auth_forget(&s) == 0 && !s.user.n && !s.relay_client);
	buf_free(&said);
	session_free(&s);
	return 0;
}
