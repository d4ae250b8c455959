/* qmail-popup - the first part of POP3: take a name and a password or APOP digest and run the
 * checker on them.
 * Run by: tcpserver, as root or as the owner of virtual mailboxes (the checker must become the
 * user).  fd 0, 1: the client; fd 3 of the checker: what to check; every other descriptor goes
 * through as it is.  argv: host name, checker, its arguments.  Environment: passed on.
 * Exit: always 1, whatever happened. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/attr.h"
#include "lib/conf.h"
#include "lib/date.h"
#include "lib/proc.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "pop3/popdialog.h"

#define CODE_ALWAYS 1
#define POPUP_LOGIN_MS (INT64_C(300) * 1000)	/* from the greeting to the password */
#define CHECKER_FD 3
#define RANDOM_BYTES 16

struct popup {
	struct popdialog dialog;
	char *const *checker;
	struct buf stamp;	/* `<12345.1700000000.HEX@host>`, the APOP timestamp */
	struct buf user;	/* of USER */
	bool has_user;
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

/* Name, secret and timestamp, each with NUL.  A checker that does not read them all is its own
 * affair; they fit into the pipe, so this cannot block. */
static void
feed(int fd, struct span user, struct span secret, struct span stamp)
{
	struct buf text = BUF_CAP(4 * POPDIALOG_LINE_MAX);

	(void)buf_room(&text, user.n + secret.n + stamp.n + 3);
	buf_addspan(&text, user);
	buf_addc(&text, '\0');
	buf_addspan(&text, secret);
	buf_addc(&text, '\0');
	buf_addspan(&text, stamp);
	buf_addc(&text, '\0');
	if (buf_ok(&text))
		(void)!io_write_all(fd, text.p, text.n);
	if (text.p)
		sys_wipe(text.p, text.size);
	buf_free(&text);
}

/* Starts the checker and gives it its pipe.  -1: it cannot be started. */
static pid_t
start_checker(const struct popup *p, struct span user, struct span secret)
{
	int fds[2];
	pid_t pid;

	if (sys_pipe(fds) == -1)
		return -1;
	pid = proc_spawn(&(struct proc_spawn){ .argv = p->checker, .search = true,
		.fds = { { CHECKER_FD, fds[0] } }, .nfds = 1 }, NULL);
	(void)close(fds[0]);
	if (pid != -1)
		feed(fds[1], user, secret, buf_span(&p->stamp));
	(void)close(fds[1]);
	return pid;
}

/* The one attempt.  After a good login the checker has become the rest of the conversation, so
 * there is nothing left to say. */
static enum pop_next
log_in(struct popup *p, struct span user, struct span secret)
{
	int status;
	pid_t pid;

	if (io_flush(&p->dialog.out) == -1)
		return POP_ENDS;
	if ((pid = start_checker(p, user, secret)) == -1) {
		popdialog_err(&p->dialog, "[SYS/TEMP] unable to run the password checker");
		return POP_ENDS;
	}
	/* The session may last for hours: nothing secret stays here. */
	sys_wipe(p->dialog.input, sizeof p->dialog.input);
	sys_wipe(p->dialog.line.p, p->dialog.line.size);
	if (proc_wait(pid, &status) == -1 || proc_code(status) == -1)
		popdialog_err(&p->dialog, "[SYS/TEMP] the password checker crashed");
	else if (proc_code(status) == CODE_TEMP)
		popdialog_err(&p->dialog, "[SYS/TEMP] unable to check the password now");
	else if (proc_code(status) != CODE_OK)
		popdialog_err(&p->dialog, "[AUTH] authorization failed");
	return POP_ENDS;
}

static enum pop_next
command_user(void *program, struct span arg)
{
	struct popup *p = program;

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

	if (space < arg.n)
		return log_in(p, span_head(arg, space), span_tail(arg, space + 1));
	popdialog_err(&p->dialog, "syntax error, APOP name digest");
	return POP_GOES_ON;
}

static enum pop_next
command_capa(void *program, struct span arg)
{
	struct popup *p = program;

	(void)arg;
	popdialog_capa(&p->dialog);
	return POP_GOES_ON;
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
	{ "capa", command_capa },
	{ "noop", command_noop },
	{ "quit", command_quit },
};

static void
serve(struct popup *p, const char *host)
{
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
