/* rcptprog - RCPTCHECK: a program that says whether a recipient exists. */
#include "smtp/rcptprog.h"

#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/num.h"
#include "smtp/checks.h"
#include "smtp/runner.h"
#include "smtp/session.h"

enum {
	CODE_REFUSED = 100,
	CODE_UNKNOWN = 111,
	CODE_OVER_LIMIT = 113,
	CODE_UNABLE = 120
};

static const char *const names[] = { "SENDER", "RECIPIENT", "HELO", "USE_FD4", "RCPTHOSTS" };

static int
set_environment(struct session *s, struct buf *recipient)
{
	const char *const values[] = { buf_str(&s->sender), buf_str(recipient),
		buf_str(&s->hello), "1", "1" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (setenv(names[i], values[i], 1) == -1)
			return -1;
	return 0;
}

static void
unset_environment(void)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unsetenv(names[i]);
}

/* Its own words, if they are a refusal. */
static enum reply
refuse(struct session *s, const struct buf *text)
{
	struct span line = span_head(buf_span(text), span_chr(buf_span(text), '\n'));

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n > 4 && (line.p[0] == '4' || line.p[0] == '5') && ascii_isdigit(line.p[1]) &&
	    ascii_isdigit(line.p[2]) && line.p[3] == ' ')
		return checks_say(s, line);
	return REPLY_NO_MAILBOX;
}

static bool
is_asked(const struct session *s, const char *program)
{
	const char *relay = getenv("RCPTCHECKRELAYCLIENT");
	uint64_t also = 0;

	if (!program || !*program)
		return false;
	if (relay)
		(void)num_lead_u64(span_str(relay), 1, &also);
	return !s->relay_client || also;
}

enum reply
rcptprog_ask(struct session *s, struct buf *recipient)
{
	char *argv[] = { getenv("RCPTCHECK"), NULL };
	struct buf text = BUF_CAP(RCPTPROG_REPLY_MAX);
	enum reply r = REPLY_RCPTCHECK_UNABLE;
	enum runner_status status = RUNNER_NO_FORK;
	int code = CODE_UNABLE;

	if (!is_asked(s, argv[0]))
		return REPLY_OK;
	session_speak(s);
	if (set_environment(s, recipient) == 0)
		status = runner_run(argv, 4, RCPTPROG_WAIT_MS, &text, &code);
	unset_environment();
	if (status == RUNNER_CRASHED || status == RUNNER_SLOW || status == RUNNER_NO_WAIT)
		r = REPLY_RCPTCHECK_UNKNOWN;
	else if (status == RUNNER_DONE && code == CODE_REFUSED)
		r = refuse(s, &text);
	else if (status == RUNNER_DONE && code == CODE_UNKNOWN)
		r = REPLY_RCPTCHECK_UNKNOWN;
	else if (status == RUNNER_DONE && code == CODE_OVER_LIMIT)
		r = REPLY_OVER_LIMIT;
	else if (status == RUNNER_DONE && code != CODE_UNABLE)
		r = REPLY_OK;
	buf_free(&text);
	return r;
}
