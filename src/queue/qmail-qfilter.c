/* qmail-qfilter - let filters see and change a message before it is queued.
 *
 *	qmail-qfilter [filter [arg ...] [-- filter [arg ...]] ...]
 *
 * Run by: whatever submits mail, in the place of qmail-queue, mostly from a script that QMAILQUEUE
 * names.  fd 0: message, fd 1: envelope; fd 4, 6: a pipe for the words of a refusal, or closed.
 * Environment: QQF_QMAILQUEUE; QMAILQUEUE is not looked at, or we would run ourselves.
 * Controls: qfilters, `DOMAIN:COMMAND[:NAME=VALUE,...]`, run by sh behind the filters of the
 * arguments for senders of that domain; `*` is every domain.  filtertimeout: seconds for all
 * filters; one that runs longer is killed.
 * Exit: that of qmail-queue, or the first of a filter that is not 0; 0 for a filter's 99; else a
 * code of queue/qqcode.h. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/envkeep.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "queue/qfilter.h"
#include "queue/qqcode.h"

static int
run_one(struct qfilter *f, char *const argv[], const char *name)
{
	bool late = false;
	int code = qfilter_run(f, argv, &late);

	if (late)
		report_line(2, "qmail-qfilter: %s: still running at the time limit, stopped", name);
	return code;
}

/* ---- filters of the arguments ---- */

static int
run_arguments(struct qfilter *f, char **argv)
{
	int code = QQ_OK;

	while (*argv && code == QQ_OK) {
		char **end = argv;
		bool more;

		while (*end && strcmp(*end, "--") != 0)
			end++;
		more = *end != NULL;
		*end = NULL;
		if (end > argv)
			code = run_one(f, argv, argv[0]);
		argv = more ? end + 1 : end;
	}
	return code;
}

/* ---- filters of control/qfilters ---- */

/* `NAME=VALUE,NAME`: the second becomes empty. */
static int
lend_variables(struct envkeep *k, struct span list)
{
	struct buf entries = { 0 };
	int r;

	while (list.n) {
		struct span one = span_head(list, span_chr(list, ','));

		buf_addspan(&entries, one);
		if (span_chr(one, '=') == one.n)
			buf_addc(&entries, '=');
		buf_addc(&entries, '\0');
		list = span_tail(list, one.n + 1);
	}
	r = envkeep_change(k, &entries);
	buf_free(&entries);
	return r;
}

static int
run_line(struct qfilter *f, struct span command, struct span variables)
{
	char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = { shell, option, NULL, NULL };
	struct envkeep before = { 0 };
	int code = QQ_MEMORY;

	argv[2] = strndup(command.p, command.n);
	if (argv[2])
		code = lend_variables(&before, variables) == -1 ? QQ_CONFIG :
		    run_one(f, argv, argv[2]);
	if (envkeep_undo(&before) == -1 && code == QQ_OK)
		code = QQ_MEMORY;
	envkeep_free(&before);
	free(argv[2]);
	return code;
}

static int
run_lines(struct qfilter *f, const struct buf *text)
{
	struct buf domain = { 0 };
	struct span line;
	size_t pos = 0;
	int code = qfilter_sender_domain(f, &domain);

	while (code == QQ_OK && ctl_next(text, &pos, &line)) {
		struct span whose = span_head(line, span_chr(line, ':'));
		struct span rest = span_tail(line, whose.n + 1);
		struct span command = span_head(rest, span_chr(rest, ':'));

		if (!command.n)
			code = QQ_CONFIG;
		else if (span_eq(whose, span_str("*")) || ascii_ieq(whose, buf_span(&domain)))
			code = run_line(f, command, span_tail(rest, command.n + 1));
	}
	buf_free(&domain);
	return code;
}

static int
run_controls(struct qfilter *f)
{
	struct buf text = { 0 };
	int code = QQ_OK;

	switch (ctl_list("qfilters", &text)) {
	case CTL_ABSENT:
		break;
	case CTL_FOUND:
		code = run_lines(f, &text);
		break;
	case CTL_ERROR:
		code = QQ_CONFIG;
		break;
	}
	buf_free(&text);
	return code;
}

int
main(int argc, char **argv)
{
	struct qfilter f = QFILTER_EMPTY;
	int64_t wait_ms;
	int code;

	(void)argc;
	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1)
		return QQ_READ;
	if (chdir(QMAIL_HOME) == -1)
		return QQ_HOME;
	if (qfilter_read_wait(&wait_ms) == -1)
		return QQ_CONFIG;
	code = qfilter_take(&f);
	f.deadline = deadline_after(wait_ms);
	if (code == QQ_OK)
		code = run_arguments(&f, argv + 1);
	if (code == QQ_OK)
		code = run_controls(&f);
	if (code == QQ_OK)
		code = qfilter_queue(&f);
	qfilter_free(&f);
	return code == QFILTER_STOP ? QQ_OK : code;
}
