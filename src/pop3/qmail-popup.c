/* qmail-popup - the first part of POP3: take a name and a password or APOP digest and run the
 * checker on them.
 * Run by: tcpserver, as root or as the owner of virtual mailboxes (the checker must become the
 * user).  fd 0, 1: the client; fd 3 of the checker: what to check; every other descriptor goes
 * through as it is.  argv: host name, checker, its arguments.  Environment: passed on;
 * POP3AUTH, QMAILPOPUP_LOG, TCPREMOTEIP.
 * Exit: always 1, whatever happened. */
#include <signal.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/attr.h"
#include "lib/checker.h"
#include "lib/date.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "pop3/popauth.h"
#include "pop3/popdialog.h"
#include "pop3/stls.h"

#define CODE_ALWAYS 1
#define POPUP_LOGIN_MS (INT64_C(300) * 1000)	/* from the greeting to the password */
#define RANDOM_BYTES 16

struct popup {
	struct popdialog dialog;
	struct stls stls;
	char *const *checker;
	struct buf stamp;	/* `<12345.1700000000.HEX@host>`, the APOP timestamp */
	struct buf user;	/* of USER */
	bool has_user;
	struct popauth auth;
	struct buf plain;	/* of AUTH PLAIN */
};

static const char needs_login[] = "authorization first";

/* Process id and time alone could be foreseen, and a digest recorded earlier be used again. */
MUST_CHECK static int
make_stamp(struct buf *stamp, const char *host)
{
	unsigned char random[RANDOM_BYTES];

	if (sys_random(random, sizeof random) == -1)
		return -1;
	buf_addc(stamp, '<');
	buf_addnum(stamp, (uint64_t)getpid());
	buf_addc(stamp, '.');
	buf_addnum(stamp, (uint64_t)date_now());
	buf_addc(stamp, '.');
	for (size_t i = 0; i < sizeof random; i++) {
		buf_addc(stamp, "0123456789abcdef"[random[i] >> 4]);
		buf_addc(stamp, "0123456789abcdef"[random[i] & 15]);
	}
	buf_addc(stamp, '@');
	buf_adds(stamp, host);
	buf_addc(stamp, '>');
	return buf_ok(stamp) ? 0 : -1;
}

/* What the client is told about a login that was not successful; NULL: nothing, the checker has
 * become the rest of the conversation. */
static const char *
complaint(enum checker_verdict verdict)
{
	switch (verdict) {
	case CHECKER_YES:
	case CHECKER_DEAF:
		return NULL;
	case CHECKER_NO:
		return "[AUTH] authorization failed";
	case CHECKER_BUSY:
		return "[SYS/TEMP] unable to check the password now";
	case CHECKER_NO_PIPE:
	case CHECKER_NO_START:
		return "[SYS/TEMP] unable to run the password checker";
	default:
		return "[SYS/TEMP] the password checker crashed";
	}
}

/* The one attempt. */
static enum pop_next
log_in(struct popup *p, struct span user, struct span secret)
{
	struct checker_login login = { user, secret, buf_span(&p->stamp) };
	struct checker checker = { .argv = p->checker, .wait_ms = DEADLINE_NONE };
	enum checker_verdict verdict;
	const char *text;

	if (io_flush(&p->dialog.out) == -1)
		return POP_ENDS;
	verdict = checker_start(&checker, &login);
	/* The session may last for hours: nothing secret stays here. */
	sys_wipe(p->dialog.input, sizeof p->dialog.input);
	sys_wipe(p->dialog.line.p, p->dialog.line.size);
	buf_wipe(&p->plain);
	if (verdict == CHECKER_YES)
		verdict = checker_finish(&checker);
	if (verdict == CHECKER_NO)
		popauth_log(&p->auth);
	if ((text = complaint(verdict)))
		popdialog_err(&p->dialog, text);
	return POP_ENDS;
}

/* POP3AUTH */
static enum pop_next
refuse_password(struct popup *p)
{
	popdialog_err(&p->dialog, "[AUTH] APOP only");
	return POP_GOES_ON;
}

static enum pop_next
want_stls(struct popup *p)
{
	popdialog_err(&p->dialog, "STLS first");
	return POP_GOES_ON;
}

static enum pop_next
command_user(void *program, struct span arg)
{
	struct popup *p = program;

	if (stls_is_missing(&p->stls))
		return want_stls(p);
	if (!p->auth.password)
		return refuse_password(p);
	if (!arg.n) {		/* a name given before still counts */
		popdialog_err(&p->dialog, "syntax error, USER name");
		return POP_GOES_ON;
	}
	buf_reset(&p->user);
	buf_addspan(&p->user, arg);
	p->has_user = buf_ok(&p->user);
	if (p->has_user)
		popdialog_ok(&p->dialog);
	else
		popdialog_err(&p->dialog, "[SYS/TEMP] out of memory");
	return POP_GOES_ON;
}

static enum pop_next
command_pass(void *program, struct span arg)
{
	struct popup *p = program;

	if (stls_is_missing(&p->stls))
		return want_stls(p);
	if (!p->has_user)
		popdialog_err(&p->dialog, "USER first");
	else if (!arg.n)
		popdialog_err(&p->dialog, "syntax error, PASS password");
	else
		return log_in(p, buf_span(&p->user), arg);
	return POP_GOES_ON;
}

static enum pop_next
command_apop(void *program, struct span arg)
{
	struct popup *p = program;
	size_t space = span_chr(arg, ' ');

	if (stls_is_missing(&p->stls))
		return want_stls(p);
	if (space < arg.n)
		return log_in(p, span_head(arg, space), span_tail(arg, space + 1));
	popdialog_err(&p->dialog, "syntax error, APOP name digest");
	return POP_GOES_ON;
}

static enum pop_next
command_auth(void *program, struct span arg)
{
	struct popup *p = program;
	struct checker_login login;
	enum pop_next next = POP_GOES_ON;

	if (stls_is_missing(&p->stls))
		return want_stls(p);
	if (!p->auth.password)
		return refuse_password(p);
	if (popauth_plain(&p->dialog, arg, &p->plain, &login))
		next = log_in(p, login.user, login.secret);
	buf_wipe(&p->plain);
	return next;
}

/* RFC 6856: what comes later sends messages as they are, and names are bytes. */
static enum pop_next
command_utf8(void *program, struct span arg)
{
	struct popup *p = program;

	if (!arg.n || ascii_ieq(arg, span_str("user")))
		popdialog_ok(&p->dialog);
	else
		popdialog_err(&p->dialog, "syntax error, UTF8 [USER]");
	return POP_GOES_ON;
}

static enum pop_next
command_capa(void *program, struct span arg)
{
	struct popup *p = program;

	(void)arg;
	/* A password that is refused before TLS has been sent in the clear all the same. */
	popdialog_capa(&p->dialog, popdialog_takes_passwords() && !stls_is_missing(&p->stls),
	    stls_is_offered(&p->stls) ? "STLS\r\n" : "");
	return POP_GOES_ON;
}

/* Who has logged in is never asked again, so this cannot come later. */
static enum pop_next
command_stls(void *program, struct span arg)
{
	struct popup *p = program;

	if (arg.n) {
		popdialog_err(&p->dialog, "syntax error, STLS has no argument");
		return POP_GOES_ON;
	}
	switch (stls_command(&p->stls, &p->dialog)) {
	case STLS_DONE:
		p->has_user = false;
		return POP_GOES_ON;
	case STLS_REFUSED:
		return POP_GOES_ON;
	default:
		return POP_ENDS;
	}
}

static enum pop_next
command_noop(void *program, struct span arg)
{
	struct popup *p = program;

	(void)arg;
	popdialog_ok(&p->dialog);
	return POP_GOES_ON;
}

static enum pop_next
command_quit(void *program, struct span arg)
{
	(void)command_noop(program, arg);
	return POP_ENDS;
}

static const struct pop_command commands[] = {
	{ "user", command_user },
	{ "pass", command_pass },
	{ "apop", command_apop },
	{ "auth", command_auth },
	{ "utf8", command_utf8 },
	{ "capa", command_capa },
	{ "stls", command_stls },
	{ "noop", command_noop },
	{ "quit", command_quit },
};

static void
serve(struct popup *p, const char *host)
{
	popauth_read(&p->auth);
	if (make_stamp(&p->stamp, host) == -1) {
		popdialog_err(&p->dialog, "[SYS/TEMP] out of resources");
		(void)!io_flush(&p->dialog.out);
		return;
	}
	io_puts(&p->dialog.out, "+OK ");
	io_putspan(&p->dialog.out, buf_span(&p->stamp));
	io_puts(&p->dialog.out, "\r\n");
	popdialog_run(&p->dialog, commands, sizeof commands / sizeof *commands, needs_login, p);
}

int
main(int argc, char *argv[])
{
	struct popup p = { 0 };

	sig_ignore(SIGPIPE);
	sandbox_limits();
	popdialog_init(&p.dialog);
	stls_begin(&p.stls);
	/* What follows a password belongs to the next program, so it stays in the kernel. */
	p.dialog.in.line_wise = true;
	p.dialog.deadline = p.dialog.out.deadline = deadline_after(POPUP_LOGIN_MS);
	if (io_open_standard() == 0 && argc >= 3) {
		p.checker = argv + 2;
		serve(&p, argv[1]);
	} else {
		popdialog_err(&p.dialog, "usage: qmail-popup hostname checker [arg ...]");
		(void)!io_flush(&p.dialog.out);
	}
	buf_free(&p.stamp);
	buf_free(&p.user);
	popdialog_free(&p.dialog);
	return CODE_ALWAYS;
}
