/* handlers - obeying one instruction: Maildir, mbox, program, forward. */
#include "local/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "mail/maildir.h"
#include "mail/mboxfmt.h"
#include "queue/submit.h"

#define SHELL "/bin/sh"

int
handle_no_memory(void)
{
	return report_fail(CODE_TEMP, "Out of memory. (#4.3.0)");
}

/* The descriptor is shared with every program that ran before. */
static int
rewind_message(void)
{
	if (lseek(0, 0, SEEK_SET) == -1)
		return report_fail(CODE_TEMP, "Unable to rewind message. (#4.3.0)");
	return CODE_OK;
}

static const char *
maildir_text(enum maildir_status status)
{
	switch (status) {
	case MAILDIR_NODIR:
		return "Unable to chdir to maildir. (#4.2.1)";
	case MAILDIR_READ:
		return "Unable to read message. (#4.3.0)";
	case MAILDIR_TIMEOUT:
		return "Timeout on maildir delivery. (#4.3.0)";
	default:
		return "Temporary error on maildir delivery. (#4.3.0)";
	}
}

int
handle_maildir(const struct delivery *d, const char *dir)
{
	struct buf head = { 0 };
	enum maildir_status status;
	int code = rewind_message();

	if (code != CODE_OK)
		return code;
	buf_addbuf(&head, &d->rpline);
	buf_addbuf(&head, &d->dtline);
	if (!buf_ok(&head)) {
		code = handle_no_memory();
	} else {
		status = maildir_deliver(dir, 0, buf_span(&head));
		if (status != MAILDIR_OK)
			code = report_fail(CODE_TEMP, "%s", maildir_text(status));
	}
	buf_free(&head);
	return code;
}

static int
mbox_fail(enum mbox_status status, const char *path)
{
	const char *error = errtext(errno);

	switch (status) {
	case MBOX_OPEN:
		return report_fail(CODE_TEMP, "Unable to open %s: %s. (#4.2.1)", path, error);
	case MBOX_LOCKED:
		return report_fail(CODE_TEMP,
		    "File has been locked for 30 seconds straight. (#4.3.0)");
	case MBOX_READ:
		return report_fail(CODE_TEMP, "Unable to read message: %s. (#4.3.0)", error);
	default:
		return report_fail(CODE_TEMP, "Unable to write %s: %s. (#4.3.0)", path, error);
	}
}

int
handle_mbox(const struct delivery *d, const char *path)
{
	struct buf head = { 0 };
	enum mbox_status status;
	int unlocked, code = rewind_message();

	if (code != CODE_OK)
		return code;
	buf_addbuf(&head, &d->ufline);
	buf_addbuf(&head, &d->rpline);
	buf_addbuf(&head, &d->dtline);
	if (!buf_ok(&head)) {
		code = handle_no_memory();
	} else {
		status = mboxfmt_deliver(path, 0, buf_span(&head), &unlocked);
		if (status != MBOX_OK)
			code = mbox_fail(status, path);
		else if (unlocked)
			report_line(2, "Warning: unable to lock %s: %s.", path, errtext(unlocked));
	}
	buf_free(&head);
	return code;
}

/* What a program's exit code means for the message. */
static int
program_code(int code)
{
	switch (code) {
	case 0:
		return CODE_OK;
	case CODE_STOP:
		return CODE_STOP;
	case CODE_PERM:
	case 64: case 65: case 70: case 76: case 77: case 78:	/* sysexits.h: no use to retry */
	case 112:
		return CODE_PERM;
	default:
		return CODE_TEMP;
	}
}

int
handle_program(const char *command)
{
	char shell[] = SHELL, option[] = "-c", *text = strdup(command);
	char *argv[] = { shell, option, text, NULL };
	const struct proc_spawn spawn = { .argv = argv };
	enum proc_step step = PROC_FORK;
	int status, error, code = rewind_message();
	pid_t pid;

	if (code != CODE_OK || !text) {
		free(text);
		return code != CODE_OK ? code : handle_no_memory();
	}
	pid = proc_spawn(&spawn, &step);
	error = errno;
	free(text);
	if (pid == -1)
		return step == PROC_FORK ?
		    report_fail(CODE_TEMP, "Unable to fork: %s. (#4.3.0)", errtext(error)) :
		    report_fail(CODE_TEMP, "Unable to run " SHELL ": %s. (#4.3.0)", errtext(error));
	if (proc_wait(pid, &status) == -1 || proc_code(status) == -1)
		return report_fail(CODE_TEMP, "Aack, child crashed. (#4.3.0)");
	return program_code(proc_code(status));
}

static void
add_recipients(struct submit *s, struct span instructions, size_t end)
{
	struct dot_line line;

	for (size_t pos = 0; pos < end && dotqmail_next(instructions, &pos, &line);)
		if (line.kind == DOT_FORWARD)
			submit_recipient(s, line.text);
}

int
handle_forward(const struct delivery *d, size_t end, long *qp)
{
	struct buf text = { 0 };
	struct submit s;
	enum submit_result result;
	int code = rewind_message();

	if (code != CODE_OK)
		return code;
	if (submit_open(&s) == -1)
		return report_fail(CODE_TEMP, "Unable to fork: %s. (#4.3.0)", errtext(errno));
	submit_set_timeout(&s, s.wait_ms);
	*qp = (long)s.pid;
	submit_message(&s, d->dtline.p, d->dtline.n);
	(void)!submit_copy(&s, 0);	/* on failure nothing will be queued */
	submit_sender(&s, buf_span(&d->newsender));
	add_recipients(&s, d->instructions, end);
	result = submit_close(&s, &text);
	if (result != SUBMIT_OK)
		code = report_fail(result == SUBMIT_PERMANENT ? CODE_PERM : CODE_TEMP,
		    "Unable to forward message: %s.", buf_str(&text));
	buf_free(&text);
	return code;
}
