/* sendmail, mailq, newaliases - submit mail the way programs made for other mail systems do.
 *
 * Run by: users, cron, PHP and everything else that sends mail; no privileges.  fds 0, 1, 2,
 * environment: handed on to the program that does the work; see inject/smoption.h for argv.
 * Exit: the code of that program (qmail-inject, qmail-smtpd, qmail-qread, newaliases); 100 for what
 * is refused here, 111 if it cannot be run.
 *
 * qmail-inject is run with -H or -a, -f and the sender, -- and the recipients, all of them raw
 * addresses; the letter S in QMAILINJECT tells it so (inject/request.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inject/address.h"
#include "inject/fault.h"
#include "inject/recips.h"
#include "inject/smoption.h"
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "lib/sys.h"

extern char **environ;

#define FIXED_ARGS 5	/* name, -H, -f, sender, -- */

struct submission {
	struct smoption options;
	struct buf sender;	/* raw, if options.sender */
	struct recips to;	/* raw */
	bool failed;		/* the environment could not be changed */
};

static int
fatal(int code, const char *text)
{
	return report_fail(code, "sendmail: fatal: %s", text);
}

static int
usage(void)
{
	return report_fail(CODE_PERM, "sendmail: usage: sendmail [ -t ] [ -fsender ] [ -Fname ] "
	    "[ -bp ] [ -bs ] [ arg ... ]");
}

static void
set(struct submission *s, const char *name, const char *value)
{
	if (setenv(name, value, 1) == -1)
		s->failed = true;
}

static void
clear(struct submission *s, const char *const *names)
{
	for (; *names; names++)
		if (unsetenv(*names) == -1)
			s->failed = true;
}

static int
run(const char *path, char *const *argv, const char *failure)
{
	proc_exec(path, false, argv, environ);
	return fatal(CODE_TEMP, failure);
}

/* ---- -bp, mailq ---- */

static int
list_queue(void)
{
	char path[] = "bin/qmail-qread";

	return run(path, (char *[]){ path, NULL }, "unable to run qmail-qread");
}

/* ---- -bi, newaliases ---- */

/* An add-on's program; a link to ourselves is none, and running it would never end. */
static bool
has_newaliases(void)
{
	struct stat theirs, ours;

	if (stat("bin/newaliases", &theirs) == -1)
		return false;
	return stat("bin/sendmail", &ours) == -1 || theirs.st_dev != ours.st_dev ||
	    theirs.st_ino != ours.st_ino;
}

static int
make_aliases(void)
{
	char path[] = "bin/newaliases";

	if (has_newaliases())
		return run(path, (char *[]){ path, NULL }, "unable to run newaliases");
	return report_fail(CODE_OK, "newaliases: nothing to do: aliases are the files " QMAIL_HOME
	    "/alias/.qmail-*");
}

/* ---- -bs ---- */

/* Without PROTO nobody but a local user is there: he may relay.  What earlier programs have left
 * about a connection, a login or encryption must not be taken for his. */
static int
serve(struct submission *s)
{
	static const char *const stale[] = { "TCPLOCALPORT", "TCPREMOTEPORT", "SMTPAUTHUSER",
		"SMTP_AUTH_USER", "SMTPAUTHMETHOD", "SMTPAUTH", "SMTPAUTHARGS", "AUTHUSER",
		"QMAILAUTHENTICATED", "REQUIRE_AUTH", "REQUIREAUTH", "FORCETLS", "FORCE_TLS",
		"SMTPS", "SSL", "SSLCTLFD", "SSLREADFD", "SSLWRITEFD", "SSL_CIPHER",
		"SSL_PROTOCOL", "SSL_CLIENT_S_DN", "TLS_CIPHER", "TLS_PROTOCOL", "TLS_VERSION",
		"UCSPITLS", NULL };
	char path[] = "bin/qmail-smtpd";

	if (!getenv("PROTO")) {
		clear(s, stale);
		set(s, "RELAYCLIENT", "");
		set(s, "DATABYTES", "0");
		set(s, "PROTO", "TCP");
		set(s, "TCPLOCALIP", "127.0.0.1");
		set(s, "TCPLOCALHOST", "localhost");
		set(s, "TCPREMOTEIP", "127.0.0.1");
		set(s, "TCPREMOTEHOST", "localhost");
		set(s, "TCPREMOTEINFO", "sendmail-bs");
	}
	if (s->failed)
		return fatal(CODE_TEMP, "out of memory");
	return run(path, (char *[]){ path, NULL }, "unable to run qmail-smtpd");
}

/* ---- submission ---- */

static int
address_fault(enum fault fault, const char *arg)
{
	if (fault == FAULT_ADDRESS)
		return report_fail(CODE_PERM, "sendmail: fatal: unable to parse address: %s", arg);
	if (fault == FAULT_RECIPIENTS)
		return fatal(CODE_PERM, "too many recipients");
	return fatal(CODE_TEMP, "out of memory");
}

/* Sender and recipients to raw form. */
static int
read_addresses(struct submission *s)
{
	const struct smoption *o = &s->options;
	enum fault f = FAULT_NONE;

	if (o->sender)
		f = address_sender(span_str(o->sender), &s->sender);
	if (f != FAULT_NONE)
		return address_fault(f, o->sender);
	for (char *const *arg = o->args; *arg; arg++) {
		f = address_recipients(span_str(*arg), &s->to);
		if (f != FAULT_NONE)
			return address_fault(f, *arg);
	}
	return CODE_OK;
}

/* A From field that is missing shall show the sender given by -f, and the name given by -F. */
static void
set_from(struct submission *s)
{
	static const char *const others[] = { "QMAILNAME", "MAILNAME", "NAME", "QMAILHOST",
		"MAILHOST", NULL };

	if (s->sender.n) {
		size_t at = span_rchr(buf_span(&s->sender), '@');

		clear(s, others);
		if (at < s->sender.n) {
			set(s, "QMAILHOST", s->sender.p + at + 1);
			s->sender.p[at] = '\0';
			set(s, "QMAILUSER", s->sender.p);
			s->sender.p[at] = '@';
		} else {
			set(s, "QMAILUSER", s->sender.p);
		}
	}
	if (s->options.name)
		set(s, "MAILNAME", s->options.name);
}

/* Tells qmail-inject who calls; older ones ignore letters they do not know. */
static void
set_letter(struct submission *s)
{
	const char *letters = getenv("QMAILINJECT");
	struct buf more = { 0 };

	buf_adds(&more, letters ? letters : "");
	if (!letters || !strchr(letters, 'S'))
		buf_addc(&more, 'S');
	if (buf_ok(&more))
		set(s, "QMAILINJECT", more.p);
	else
		s->failed = true;
	buf_free(&more);
}

static int
inject(struct submission *s)
{
	char path[] = "bin/qmail-inject", all[] = "-H", args[] = "-a", from[] = "-f", end[] = "--";
	char nobody[] = "";
	char **argv = calloc(s->to.n + FIXED_ARGS + 1, sizeof *argv);
	struct span address;
	size_t n = 0;

	set_from(s);
	set_letter(s);
	if (!argv || s->failed) {
		free(argv);
		return fatal(CODE_TEMP, "out of memory");
	}
	argv[n++] = path;
	argv[n++] = s->options.header ? all : args;
	if (s->options.sender) {
		argv[n++] = from;
		argv[n++] = s->sender.n ? s->sender.p : nobody;
	}
	argv[n++] = end;
	for (size_t at = 0; recips_next(&s->to, &at, &address);)
		argv[n++] = s->to.text.p + (at - address.n - 1);
	(void)run(path, argv, "unable to run qmail-inject");
	free(argv);
	return CODE_TEMP;
}

static int
submit(struct submission *s)
{
	int code = read_addresses(s);

	if (code == CODE_OK && !s->to.n && !s->options.header)
		code = fatal(CODE_PERM, "no recipients");
	if (code == CODE_OK)
		code = inject(s);
	buf_free(&s->sender);
	recips_free(&s->to);
	return code;
}

int
main(int argc, char **argv)
{
	struct submission s = { .to = RECIPS_EMPTY };

	if (io_open_standard() == -1 || sys_drop_setid() == -1)
		return CODE_TEMP;
	sandbox_limits();
	if (!argc)
		return usage();
	if (chdir(QMAIL_HOME) == -1)
		return fatal(CODE_TEMP, "unable to switch to qmail home directory");
	smoption_read(&s.options, argc, argv);
	switch (s.options.mode) {
	case SMOPTION_SUBMIT:
		return submit(&s);
	case SMOPTION_SERVE:
		return serve(&s);
	case SMOPTION_LIST:
		return list_queue();
	case SMOPTION_ALIASES:
		return make_aliases();
	case SMOPTION_NOTHING:
		return CODE_OK;
	case SMOPTION_DAEMON:
		return fatal(CODE_PERM, "daemon mode not supported; see qmail-smtpd");
	default:
		return usage();
	}
}
