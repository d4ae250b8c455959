/* auth - the command AUTH.
 * What the client says is wiped once it is not needed any more, and never in the log; nor is the
 * name of a failed login, if it may be a password in the wrong place. */
#include "smtp/auth.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/checker.h"
#include "lib/log.h"
#include "smtp/authset.h"
#include "smtp/checks.h"
#include "smtp/sasl.h"

#define LOG_NAME_BYTES 256	/* of a name */

/* ---- the log ---- */

static bool
is_our_address(const struct session *s, struct span name)
{
	return s->conf->intake.relay.restricted && span_chr(name, '@') < name.n &&
	    relay_check(&s->conf->intake.relay, name) == RELAY_ALLOWED;
}

/* May both fields be in each other's place?  Names consist of few kinds of bytes. */
static bool
may_be_name(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!ascii_isalnum(text.p[i]) && !memchr("@._+=-", text.p[i], 6))
			return false;
	return true;
}

/* `qmail-smtpd[4711]: AUTH failed [192.0.2.1] joe`, followed by `: ` and why, unless that is
 * NULL. */
static void
put_log(const struct session *s, const char *event, struct span name, const char *why)
{
	struct buf line = { 0 };

	if (!s->conf->auth.log)
		return;
	buf_adds(&line, "qmail-smtpd[");
	buf_addnum(&line, (uint64_t)getpid());
	buf_adds(&line, "]: AUTH ");
	buf_adds(&line, event);
	buf_adds(&line, " [");
	log_add_visible(&line, s->conf->intake.peer.remote_ip, false, '?');
	buf_adds(&line, "] ");
	log_add_visible(&line, name.n ? span_head(name, LOG_NAME_BYTES) : span_str("-"), false,
	    '?');
	if (why) {
		buf_adds(&line, ": ");
		buf_adds(&line, why);
	}
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		(void)!io_write_all(2, line.p, line.n);
	buf_free(&line);
}

void
auth_explain(const struct authconf *conf)
{
	struct buf line = { 0 };

	if (!conf->flaw || !conf->log)
		return;
	buf_adds(&line, "qmail-smtpd: warning: no AUTH: ");
	buf_adds(&line, conf->flaw);
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		(void)!io_write_all(2, line.p, line.n);
	buf_free(&line);
}

/* ---- what becomes of the session ---- */

/* Programs that qmail-smtpd runs learn it, too. */
static enum reply
become(struct session *s, struct span name, const char *method)
{
	const char *user;

	buf_reset(&s->user);
	buf_addspan(&s->user, name);
	if (!buf_ok(&s->user))
		return REPLY_MEMORY;
	user = buf_str(&s->user);
	if (envkeep_keep(&s->relay_before, "RELAYCLIENT") == -1 ||
	    envkeep_keep(&s->relay_before, "TCPREMOTEINFO") == -1)
		return REPLY_MEMORY;
	s->relay_client = "";
	s->remote_info = buf_span(&s->user);
	if (setenv("RELAYCLIENT", "", 1) == -1 || setenv("TCPREMOTEINFO", user, 1) == -1 ||
	    setenv("SMTP_AUTH_USER", user, 1) == -1 || setenv("SMTPAUTHUSER", user, 1) == -1 ||
	    setenv("SMTPAUTHMETHOD", method, 1) == -1)
		return REPLY_MEMORY;
	switch (authset_apply(&s->authset)) {
	case 1:
		return session_adapt(s);
	case 0:
		return REPLY_OK;
	default:
		return REPLY_MEMORY;
	}
}

int
auth_forget(struct session *s)
{
	int changed;

	if (!s->user.n)
		return 0;
	/* First: then come those that AUTH has set, which it may have changed once more. */
	if ((changed = envkeep_undo(&s->authset)) == -1 ||
	    (changed && session_adapt(s) != REPLY_OK))
		return -1;
	buf_reset(&s->user);
	if (envkeep_undo(&s->relay_before) == -1)	/* what plug-ins had said before counts */
		return -1;
	s->relay_client = getenv("RELAYCLIENT");
	s->remote_info = s->conf->intake.peer.remote_info;
	return unsetenv("SMTP_AUTH_USER") == -1 || unsetenv("SMTPAUTHUSER") == -1 ||
	    unsetenv("SMTPAUTHMETHOD") == -1 ? -1 : 0;
}

/* ---- the checker ---- */

/* The reply to the command, and with the last one allowed the end of the session. */
static enum reply
count_failure(struct session *s, enum reply reply)
{
	if (++s->auth_failures < AUTH_FAILURES_MAX)
		return reply;
	reply_put(&s->out, reply);
	return REPLY_AUTH_ENOUGH;
}

static enum reply
refuse(const struct sasl *x)
{
	struct session *s = x->s;
	int64_t ms = s->conf->auth.delay_ms;
	const struct timespec delay = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000 * 1000 };
	bool shown = is_our_address(s, x->login.user) ||
	    (!x->login.third.n && !may_be_name(x->login.secret));

	if (s->conf->log_styles)
		buf_addspan(&s->tried, shown ? span_head(x->login.user, LOG_NAME_BYTES) :
		    span_str("-"));
	put_log(s, "failed", shown ? x->login.user : span_str("-"), NULL);
	if (s->out.n && io_flush(&s->out) == -1)
		return REPLY_LOST;
	(void)nanosleep(&delay, NULL);
	return count_failure(s, REPLY_AUTH_FAILED);
}

static enum reply
accept(const struct sasl *x)
{
	enum reply r;

	if ((r = become(x->s, x->login.user, x->method)) != REPLY_OK)
		return r;
	put_log(x->s, "successful", x->login.user, NULL);
	if ((r = checks_run(x->s, CHECKS_AUTH, NULL)) == REPLY_OK)
		return REPLY_AUTH_OK;
	return auth_forget(x->s) == -1 ? REPLY_MEMORY : r;
}

static enum reply
give_up(const struct sasl *x, enum checker_verdict verdict)
{
	static const struct {
		const char *why;
		enum reply reply;
	} troubles[] = {
		[CHECKER_BUSY] = { "the checker cannot tell now", REPLY_AUTH_CHILD },
		[CHECKER_KILLED] = { "the checker crashed", REPLY_AUTH_CHILD },
		[CHECKER_SILENT] = { "the checker takes too long", REPLY_AUTH_CHILD },
		[CHECKER_DEAF] = { "the checker says yes without having read the login",
		    REPLY_AUTH_CHILD },
		[CHECKER_NO_PIPE] = { "no pipe to the checker", REPLY_AUTH_PIPE },
		[CHECKER_NO_START] = { "the checker cannot be started", REPLY_AUTH_START },
	};

	put_log(x->s, "not possible", span_str("-"), troubles[verdict].why);
	/* What a client can make hang or crash it may not go on with: a checker that is set-uid
	 * cannot even be killed by us. */
	if (verdict == CHECKER_SILENT || verdict == CHECKER_KILLED)
		return count_failure(x->s, troubles[verdict].reply);
	return troubles[verdict].reply;
}

/* The login is complete and well-formed: who decides about it? */
static enum reply
check(const struct sasl *x)
{
	const struct authconf *conf = &x->s->conf->auth;
	struct checker c = { .argv = x->login.third.n ? conf->cram_checker : conf->checker,
		.decides = true, .wait_ms = conf->checker_ms };
	struct checker_login login = x->login;
	enum checker_verdict verdict;

	if (login.user.n + login.secret.n + login.third.n + 3 > AUTH_LOGIN_MAX)
		return REPLY_AUTH_MALFORMED;
	if (login.third.n && conf->challenge_first) {
		login.secret = x->login.third;
		login.third = x->login.secret;
	}
	if ((verdict = checker_start(&c, &login)) == CHECKER_YES)
		verdict = checker_finish(&c);
	switch (verdict) {
	case CHECKER_YES:
		return accept(x);
	case CHECKER_NO:
		return refuse(x);
	default:
		return give_up(x, verdict);
	}
}

/* ---- the command ---- */

static bool
is_possible(const struct session *s)
{
	return !s->conf->auth.encrypted_only || s->tls;
}

enum reply
auth_command(struct session *s, struct span arg)
{
	const struct authconf *conf = &s->conf->auth;
	struct sasl x = { .s = s };
	enum reply r;

	if (!conf->configured)
		return REPLY_UNIMPLEMENTED;
	if (!auth_is_known(s))
		return REPLY_AUTH_NONE;
	if (s->user.n)
		return REPLY_AUTH_TWICE;
	if (s->in_transaction)
		return REPLY_AUTH_LATE;
	if (!is_possible(s))
		return REPLY_AUTH_NEEDS_TLS;
	r = sasl_run(&x, arg);
	if (r == REPLY_OK)
		r = check(&x);
	else if (r == REPLY_AUTH_FAILED)
		r = refuse(&x);
	sasl_wipe(&x);
	return r;
}

bool
auth_is_known(const struct session *s)
{
	return s->conf->auth.password || s->conf->auth.cram;
}

bool
auth_is_missing(const struct session *s)
{
	return s->conf->auth.required && !s->user.n;
}

void
auth_put_lines(struct session *s)
{
	const struct authconf *conf = &s->conf->auth;
	const char *list = !conf->cram ? "LOGIN PLAIN\r\n" : !conf->password ? "CRAM-MD5\r\n" :
	    conf->old_lines ? "LOGIN CRAM-MD5 PLAIN\r\n" : "LOGIN PLAIN CRAM-MD5\r\n";

	if (!auth_is_known(s) || !is_possible(s))
		return;
	io_puts(&s->out, "250-AUTH ");
	io_puts(&s->out, list);
	if (conf->old_lines) {	/* for clients that know only a draft of the standard */
		io_puts(&s->out, "250-AUTH=");
		io_puts(&s->out, list);
	}
}
