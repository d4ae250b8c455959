/* plugins - qmail-spp plug-ins: programs that are asked at each stage of the dialogue. */
#include "smtp/plugins.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/env.h"
#include "lib/log.h"
#include "mail/addr5321.h"
#include "smtp/checks.h"
#include "smtp/runner.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

#define FILE_NAME "smtpplugins"
#define SHELL "/bin/sh"
#define CODE_NO_EXEC 120
#define WAIT_TOP 3600
#define MAX_NAME 256		/* bytes of a variable's name */

/* ---- the list ---- */

static int
add(struct plugins *p, char section, struct span line)
{
	if (p->n == PLUGINS_MAX) {
		errno = EFBIG;
		return -1;
	}
	p->list[p->n++] = (struct plugin){ section, p->text.n };
	buf_addspan(&p->text, line);
	buf_addc(&p->text, '\0');
	return buf_ok(&p->text) ? 0 : -1;
}

static int
take_lines(struct plugins *p, const struct buf *file)
{
	size_t pos = 0, number = 0;
	char section = '\0';
	struct span line;

	while (ctl_next_line(file, &pos, &number, &line)) {
		while (line.n && ascii_isblank(line.p[0]))
			line = span_tail(line, 1);
		if (line.n > 1 && line.p[0] == '[')
			section = ascii_lower(line.p[1]);
		else if (section && add(p, section, line) == -1)
			return -1;
	}
	return 0;
}

int
plugins_read(struct plugins *p, const struct ctlnames *names)
{
	const char *path = getenv("SPPCONFFILE");
	uint64_t wait_s = PLUGINS_WAIT_S;
	struct buf file = BUF_CAP(CTL_FILE_MAX);
	struct stat st;
	int rc = -1;

	if (!getenv("ENABLE_SPP"))
		return 0;
	p->on = true;
	if (smtpconf_number(names, NULL, "spptimeout", WAIT_TOP, &wait_s) == -1)
		return -1;
	p->wait_ms = (int64_t)(wait_s ? wait_s : 1) * 1000;
	if ((path ? ctl_path_text(path, &file) : ctl_text(FILE_NAME, &file)) == CTL_FOUND &&
	    take_lines(p, &file) == 0) {
		rc = 0;
		p->trusted = stat(path ? path : "control/" FILE_NAME, &st) == 0 && st.st_uid == 0;
	}
	if (rc == -1)
		(void)smtplog_unread(path ? path : FILE_NAME);
	buf_free(&file);
	return rc;
}

void
plugins_free(struct plugins *p)
{
	buf_free(&p->text);
}

void
plugins_said_free(struct plugins_said *said)
{
	for (size_t i = 0; i < PLUGINS_LATER_COUNT; i++)
		buf_free(&said->later[i]);
	buf_free(&said->lasting);
	buf_free(&said->fields);
}

void
plugins_said_reset(struct plugins_said *said)
{
	said->recipients = 0;
	buf_reset(&said->fields);
}

void
plugins_put_fields(const struct plugins_said *said, struct incoming *in)
{
	if (said->lasting.n)
		incoming_text(in, said->lasting.p, said->lasting.n);
	if (said->fields.n)
		incoming_text(in, said->fields.p, said->fields.n);
}

/* ---- what they are told ---- */

/* -1: out of memory. */
static int
tell(struct session *s, const struct buf *recipient)
{
	if (setenv("SMTPHELOHOST", buf_str(&s->hello), 1) == -1 ||
	    setenv("SMTPMAILFROM", buf_str(&s->sender), 1) == -1)
		return -1;
	if (!recipient)
		return 0;
	return setenv("SMTPRCPTTO", buf_str(recipient), 1) == -1 ||
	    env_set_number("SMTPRCPTCOUNT", s->recipient_count) == -1 ||
	    env_set_number("SMTPRCPTCOUNTALL", s->plugins.recipients) == -1 ||
	    env_set_number("SMTPRCPTHOSTSOK", relay_check(&s->conf->intake.relay,
	    buf_span(recipient)) == RELAY_ALLOWED) == -1 ? -1 : 0;
}

/* ---- what they say ---- */

/* Variables that decide which programs run belong to root. */
static bool
may_set(const struct session *s, struct span name)
{
	static const char *const kept[] = { "PATH", "QMAILQUEUE", "QQF_QMAILQUEUE", "RCPTCHECK",
		"ENV", "BASH_ENV", "IFS", "SHELLOPTS" };

	if (!name.n || name.n > MAX_NAME || span_chr(name, '\0') < name.n)
		return false;
	if (s->conf->plugins.trusted)
		return true;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (span_eq(name, span_str(kept[i])))
			return false;
	/* Nor those that AUTH makes others of. */
	return !span_starts(name, span_str("LD_")) && !span_starts(name, span_str("AUTH_SET_")) &&
	    !span_starts(name, span_str("AUTH_UNSET_"));
}

/* `NAME=value`, or, without value, `NAME` to be unset. */
static enum reply
change_variable(struct session *s, struct span text, bool with_value)
{
	size_t equals = with_value ? span_chr(text, '=') : text.n;
	struct span name = span_head(text, equals);
	struct buf copy = { 0 };
	int rc = 0;

	if ((with_value && equals == text.n) || span_chr(name, '=') < name.n || !may_set(s, name))
		return REPLY_OK;
	buf_addspan(&copy, text);
	if (!buf_ok(&copy))
		return REPLY_MEMORY;
	copy.p[equals] = '\0';
	rc = with_value ? setenv(copy.p, copy.p + equals + 1, 1) : unsetenv(copy.p);
	if (span_eq(name, span_str("RELAYCLIENT")))
		s->relay_client = getenv("RELAYCLIENT");
	buf_free(&copy);
	return rc == -1 ? REPLY_MEMORY : REPLY_OK;
}

/* A header line; what is not text is taken out, and so is what is no field. */
static enum reply
add_field(struct session *s, struct span text)
{
	struct buf *to = strchr("mrpd", s->plugins.section) ? &s->plugins.fields :
	    &s->plugins.lasting;
	size_t colon = span_chr(text, ':');

	if (!colon || colon == text.n || to->n + text.n + 1 > PLUGINS_FIELDS_MAX)
		return REPLY_OK;
	if (!ascii_all_graph(span_head(text, colon)))
		return REPLY_OK;
	log_add_visible(to, text, true, '?');
	buf_addc(to, '\n');
	return buf_ok(to) ? REPLY_OK : REPLY_MEMORY;
}

/* The address of the command is another one from now on. */
static enum reply
replace(struct buf *address, struct span text)
{
	if (!address || text.n > ADDR5321_MAX)
		return REPLY_OK;
	for (size_t i = 0; i < text.n; i++)
		if (ascii_iscntrl(text.p[i]))
			return REPLY_OK;
	buf_reset(address);
	buf_addspan(address, text);
	return buf_ok(address) ? REPLY_OK : REPLY_MEMORY;
}

/* LM, LR, LD */
static enum reply
keep_for_later(struct session *s, struct span text)
{
	static const char letters[] = "MRD";
	const char *letter = text.n ? strchr(letters, text.p[0]) : NULL;
	struct buf *later;

	if (!letter || !*letter)
		return REPLY_OK;
	later = &s->plugins.later[letter - letters];
	buf_reset(later);
	buf_addspan(later, span_tail(text, 1));
	return buf_ok(later) ? REPLY_OK : REPLY_MEMORY;
}

static enum reply
put_text(struct session *s, struct span text)
{
	struct buf line = { 0 };

	log_add_visible(&line, span_head(text, CHECKS_TEXT_MAX), true, '?');
	io_putspan(&s->out, buf_span(&line));
	io_puts(&s->out, "\r\n");
	buf_free(&line);
	return REPLY_OK;
}

/* One line.  *stop: no other line or plug-in is heard about this command. */
static enum reply
obey(struct session *s, struct span line, struct buf *address, bool *stop)
{
	struct span text = span_tail(line, 1);

	*stop = strchr("AONERD", line.p[0]) != NULL;
	switch (line.p[0]) {
	case 'H':
		return add_field(s, text);
	case 'C':
		return replace(address, text);
	case 'S':
		return change_variable(s, text, true);
	case 'U':
		return change_variable(s, text, false);
	case 'A':
		s->plugins.no_more = true;
		return REPLY_OK;
	case 'O':
		s->plugins.skip = true;
		return REPLY_OK;
	case 'E':
		return checks_say(s, text);
	case 'R':
		return checks_end(s, text);
	case 'D':
		return REPLY_LOST;
	case 'P':
		return put_text(s, text);
	case 'L':
		return keep_for_later(s, text);
	default:
		return REPLY_OK;
	}
}

static enum reply
obey_all(struct session *s, const struct buf *text, struct buf *address, bool *stop)
{
	struct span rest = buf_span(text);
	enum reply r = REPLY_OK;

	*stop = false;
	while (r == REPLY_OK && !*stop && rest.n) {
		struct span line = span_head(rest, span_chr(rest, '\n'));

		rest = span_tail(rest, line.n + 1);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n && line.p[0])
			r = obey(s, line, address, stop);
	}
	return r;
}

/* ---- running them ---- */

static enum reply
fail(struct session *s, const char *plugin, enum runner_status status)
{
	static const char *const why[] = {
		[RUNNER_DONE] = "can't execute", [RUNNER_NO_PIPE] = "can't pipe()",
		[RUNNER_NO_FORK] = "vfork() failed", [RUNNER_NO_EXEC] = "can't execute",
		[RUNNER_CRASHED] = "child crashed", [RUNNER_NO_WAIT] = "wait_pid() failed",
		[RUNNER_SLOW] = "time limit",
	};
	struct buf text = { 0 };
	enum reply r;

	buf_adds(&text, "451 qmail-spp failure: ");
	buf_adds(&text, plugin);
	buf_adds(&text, ": ");
	buf_adds(&text, why[status]);
	buf_adds(&text, " (#4.3.0)");
	r = checks_say(s, buf_span(&text));
	buf_free(&text);
	return r;
}

static enum reply
run_one(struct session *s, const char *line, struct buf *address, bool *stop)
{
	char shell[] = SHELL, option[] = "-c";
	struct buf copy = { 0 }, text = BUF_CAP(PLUGINS_OUTPUT_MAX);
	enum reply r = REPLY_MEMORY;
	int code = 0;

	buf_adds(&copy, *line == ':' ? line + 1 : line);
	if (buf_ok(&copy)) {
		char *program[] = { copy.p, NULL }, *by_shell[] = { shell, option, copy.p, NULL };
		enum runner_status status;

		session_speak(s);
		status = runner_run(*line == ':' ? by_shell : program, 1,
		    s->conf->plugins.wait_ms, &text, &code);

		r = status != RUNNER_DONE || code == CODE_NO_EXEC ? fail(s, line, status) :
		    obey_all(s, &text, address, stop);
	}
	buf_free(&copy);
	buf_free(&text);
	return r;
}

/* address: what C replaces; recipient: or NULL. */
static enum reply
run(struct session *s, char section, struct buf *address, const struct buf *recipient)
{
	const struct plugins *p = &s->conf->plugins;
	enum reply r = REPLY_OK;
	bool stop = false;

	s->plugins.section = section;
	for (size_t i = 0; r == REPLY_OK && !stop && i < p->n; i++) {
		if (p->list[i].section != section || s->plugins.no_more)
			continue;
		r = tell(s, recipient) == -1 ? REPLY_MEMORY :
		    run_one(s, p->text.p + p->list[i].at, address, &stop);
	}
	return r;
}

/* An error that was kept for this command comes first, once. */
static enum reply
run_after_error(struct session *s, enum plugins_later which, char section, struct buf *address,
    const struct buf *recipient)
{
	struct buf *later = &s->plugins.later[which];
	enum reply r;

	if (!later->n)
		return run(s, section, address, recipient);
	r = checks_say(s, buf_span(later));
	buf_reset(later);
	return r;
}

enum reply
plugins_connection(struct session *s, struct buf *none)
{
	(void)none;
	return s->conf->plugins.on ? run(s, 'c', NULL, NULL) : REPLY_OK;
}

enum reply
plugins_helo(struct session *s, struct buf *helo)
{
	return s->conf->plugins.on ? run(s, 'h', helo, NULL) : REPLY_OK;
}

enum reply
plugins_mail(struct session *s, struct buf *sender)
{
	return s->conf->plugins.on ?
	    run_after_error(s, PLUGINS_LATER_MAIL, 'm', sender, NULL) : REPLY_OK;
}

enum reply
plugins_rcpt(struct session *s, struct buf *recipient)
{
	if (!s->conf->plugins.on)
		return REPLY_OK;
	s->plugins.recipients++;
	return run_after_error(s, PLUGINS_LATER_RCPT, 'r', recipient, recipient);
}

enum reply
plugins_pass(struct session *s, struct buf *recipient)
{
	return s->conf->plugins.on ? run(s, 'p', recipient, recipient) : REPLY_OK;
}

enum reply
plugins_data(struct session *s, struct buf *none)
{
	(void)none;
	return s->conf->plugins.on ?
	    run_after_error(s, PLUGINS_LATER_DATA, 'd', NULL, NULL) : REPLY_OK;
}

enum reply
plugins_auth(struct session *s, struct buf *none)
{
	(void)none;
	return s->conf->plugins.on ? run(s, 'a', NULL, NULL) : REPLY_OK;
}
