/* spawn-filter - let a filter see and change a message when it is delivered.
 * Run by: qmail-rspawn, which QMAILREMOTE sends here, in the place of qmail-remote; qmail-lspawn,
 * by QMAILLOCAL, in the place of qmail-local, as the user; with the arguments of these.
 * fd 0: the message, fd 1: for qmail-remote the report.  Environment: FILTERARGS.
 * Controls: filterargs, lines `DOMAIN:remote|local:COMMAND[:NAME=VALUE,...]`; nofilterargs,
 * domains; filtertimeout, seconds that the filter may take before it is killed.
 * Exit: that of qmail-remote or qmail-local, which it becomes; else 0 with a report in the place of
 * qmail-remote, and 0 (dropped), 100 or 111 in that of qmail-local. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "queue/qfilter.h"

#define DIRECTORY "/tmp"
#define SHELL "/bin/sh"
#define LOCAL QMAIL_HOME "/bin/qmail-local"
#define REMOTE QMAIL_HOME "/bin/qmail-remote"
#define LOCAL_ARGUMENTS 10	/* qmail-local -- user home local dash ext domain sender default */
#define LOCAL_DOMAIN 7
#define REMOTE_ARGUMENTS 4	/* qmail-remote host sender recipient ... */
#define FILTER_DROP 2		/* exit code of a filter: the message is gone, and that is well */
#define FILTER_LATE (-1)	/* in its place: it was killed at the time limit */
#define SHELL_WORDS "|&;<>()$`\\\"'*?[]#~=%!{}\n"	/* what a shell does something about */
#define BLANKS " \t"

extern char **environ;

struct job {
	bool local;
	char **argv;
	int argc;
	struct span domain;
	struct buf command;		/* empty: no filter */
	bool plain;			/* a program and its arguments: any exit code is its own */
	int64_t wait_ms;		/* for the filter */
	struct buf variables;		/* NAME=VALUE, with commas between */
	/* Words that an argv needs, and no string literal may be. */
	char env[sizeof "env"], shell[sizeof SHELL], option[sizeof "-c"];
	char local_program[sizeof LOCAL], remote_program[sizeof REMOTE];
};

#define JOB_EMPTY { .env = "env", .shell = SHELL, .option = "-c", .local_program = LOCAL, \
	.remote_program = REMOTE }

/* ---- which filter ---- */

/* `NAME=VALUE,...`, or nothing: what env(1) would not take for a command. */
static bool
are_variables(struct span list)
{
	while (list.n) {
		struct span one = span_head(list, span_chr(list, ','));
		size_t equals = span_chr(one, '=');

		if (equals == 0 || equals == one.n)
			return false;
		list = span_tail(list, one.n + 1);
	}
	return true;
}

/* The first line for this domain and way.  -1: malformed, or out of memory. */
static int
take_line(struct job *j, const struct buf *text)
{
	struct span line, way = span_str(j->local ? "local" : "remote");
	size_t pos = 0;

	while (!j->command.n && ctl_next(text, &pos, &line)) {
		struct span domain = span_head(line, span_chr(line, ':'));
		struct span rest = span_tail(line, domain.n + 1);
		struct span kind = span_head(rest, span_chr(rest, ':'));
		struct span what = span_tail(rest, kind.n + 1);
		struct span command = span_head(what, span_chr(what, ':'));
		struct span variables = span_tail(what, command.n + 1);

		if (!command.n || !are_variables(variables))
			return -1;
		if (!ascii_ieq(kind, way) || !(span_eq(domain, span_str("*")) ||
		    ascii_ieq(domain, j->domain)))
			continue;
		buf_addspan(&j->command, command);
		buf_addspan(&j->variables, variables);
	}
	return buf_ok(&j->command) && buf_ok(&j->variables) ? 0 : -1;
}

/* -1: the control files cannot be used. */
static int
choose(struct job *j)
{
	const char *variable = getenv("FILTERARGS");
	struct set exempt = { 0 };
	struct buf text = { 0 };
	enum ctl_status status = ctl_set("nofilterargs", &exempt);
	int r = 0;

	if (status == CTL_FOUND && set_find(&exempt, j->domain, NULL))
		goto out;
	if (status != CTL_ERROR && variable) {
		buf_adds(&j->command, variable);
		r = buf_ok(&j->command) ? 0 : -1;
		goto out;
	}
	if (status != CTL_ERROR)
		status = ctl_list("filterargs", &text);
	if (status == CTL_ERROR)
		r = -1;
	else if (status == CTL_FOUND)
		r = take_line(j, &text);
out:
	set_free(&exempt);
	buf_free(&text);
	return r;
}

/* ---- running it ---- */

/* `env NAME=VALUE ...` if there are variables, and room for the command.  NULL: out of memory. */
static char **
arguments(struct job *j)
{
	size_t n = 0, words = 5 + j->command.n / 2;
	char **argv;

	for (size_t i = 0; i < j->variables.n; i++)
		words += j->variables.p[i] == ',';
	buf_addc(&j->command, '\0');
	buf_addc(&j->variables, '\0');
	if (!buf_ok(&j->command) || !buf_ok(&j->variables) ||
	    !(argv = calloc(words + 1, sizeof *argv)))
		return NULL;
	if (j->variables.n > 1) {
		argv[n++] = j->env;
		for (char *at = j->variables.p; at; ) {
			char *comma = strchr(at, ',');

			argv[n++] = at;
			if (comma)
				*comma++ = '\0';
			at = comma;
		}
	}
	argv[n] = NULL;
	return argv;
}

/* A shell that cannot open a file, make a process, read the command or get memory says 2, too.  So
 * what needs none is run without: of such a program 2 can only mean that it dropped the message. */
static bool
is_plain(const char *command)
{
	return !command[strcspn(command, SHELL_WORDS)] && command[strspn(command, BLANKS)];
}

static void
put_words(char *command, char **argv)
{
	char *rest;

	for (char *word = strtok_r(command, BLANKS, &rest); word;
	    word = strtok_r(NULL, BLANKS, &rest))
		*argv++ = word;
	*argv = NULL;
}

static int
await(pid_t pid, int64_t deadline)
{
	int code = CODE_TEMP;

	return proc_finish_session(pid, deadline, &code) == PROC_LATE ? FILTER_LATE : code;
}

/* Exit code of the filter, or FILTER_LATE; 111 also if it could not be run or was killed.  What it
 * complains of is no part of a report: there it goes to null_fd. */
static int
run(struct job *j, int output, int null_fd)
{
	char **argv = arguments(j);
	struct proc_spawn spawn = { .argv = argv, .search = true, .own_session = true,
		.nfds = j->local ? 2 : 3, .fds = { { 0, 0 }, { 1, output }, { 2, null_fd } } };
	int code = CODE_TEMP;
	size_t n = 0;
	pid_t pid;

	if (!argv)
		return CODE_TEMP;
	while (argv[n])
		n++;
	j->plain = is_plain(j->command.p);
	if (j->plain) {
		put_words(j->command.p, argv + n);
	} else {
		argv[n] = j->shell;
		argv[n + 1] = j->option;
		argv[n + 2] = j->command.p;
	}
	if ((pid = proc_spawn(&spawn, NULL)) != -1)
		code = await(pid, deadline_after(j->wait_ms));
	free(argv);
	return code;
}

/* 0: what the filter wrote, if anything, is on descriptor 0. */
static int
filter(struct job *j)
{
	int output = sys_nameless_file(DIRECTORY);
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC), code = CODE_TEMP;
	struct stat st;

	if (output != -1 && null_fd != -1)
		code = run(j, output, null_fd);
	if (code == CODE_OK && fstat(output, &st) == -1)
		code = CODE_TEMP;
	if (code == CODE_OK && st.st_size && proc_copy_fd(0, output) == -1)
		code = CODE_TEMP;
	if (output != -1)
		(void)close(output);
	if (null_fd != -1)
		(void)close(null_fd);
	if (code == CODE_OK && lseek(0, 0, SEEK_SET) == -1)
		code = CODE_TEMP;
	return code;
}

/* ---- the end ---- */

static int
become(struct job *j)
{
	j->argv[0] = j->local ? j->local_program : j->remote_program;
	sig_default(SIGPIPE);
	proc_exec(j->argv[0], false, j->argv, environ);
	return CODE_TEMP;
}

#define LATE "The filter took too long and was stopped. (#4.3.0)"

/* What qmail-remote would say: each recipient, then the message. */
static int
report(const struct job *j, const char *recipient, const char *message)
{
	char buffer[256];
	struct io_out out;

	io_out_init(&out, 1, buffer, sizeof buffer);
	for (int i = REMOTE_ARGUMENTS - 1; i < j->argc; i++) {
		io_puts(&out, recipient);
		io_putc(&out, '\0');
	}
	io_puts(&out, message);
	io_putc(&out, '\0');
	(void)!io_flush(&out);
	return CODE_OK;
}

static int
end(const struct job *j, int code)
{
	switch (code) {
	case FILTER_DROP:
		if (!j->plain)
			return end(j, CODE_TEMP);
		return j->local ? CODE_OK : report(j, "r", "KThe filter has dropped the message.");
	case FILTER_LATE:
		if (!j->local)
			return report(j, "s", "Z" LATE);
		report_line(1, LATE);
		return CODE_TEMP;
	case CODE_PERM:
		return j->local ? CODE_PERM : report(j, "h",
		    "DThe filter has refused the message. (#5.7.1)");
	default:
		return j->local ? CODE_TEMP : report(j, "s",
		    "ZThe filter has failed for now. (#4.3.0)");
	}
}

int
main(int argc, char **argv)
{
	struct job j = JOB_EMPTY;
	int code;

	if (argc < REMOTE_ARGUMENTS)
		return CODE_PERM;
	j.argv = argv;
	j.argc = argc;
	j.local = argc == LOCAL_ARGUMENTS && strcmp(argv[1], "--") == 0;
	j.domain = span_str(argv[j.local ? LOCAL_DOMAIN : 1]);
	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1 || choose(&j) == -1 ||
	    (j.command.n && qfilter_read_wait(&j.wait_ms) == -1))
		return end(&j, CODE_TEMP);
	code = j.command.n ? filter(&j) : CODE_OK;
	code = code == CODE_OK ? become(&j) : code;
	buf_free(&j.command);
	buf_free(&j.variables);
	return end(&j, code);
}
