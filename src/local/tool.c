/* tool - what the small programs for .qmail lines share. */
#include "local/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "queue/submit.h"

int
tool_start(const char *name)
{
	if (fcntl(0, F_GETFD) != -1 && io_open_standard() == 0)
		return CODE_OK;
	return report_fail(CODE_TEMP, "%s: fatal: unable to read message: %s", name,
	    errtext(errno));
}

int
tool_ask(const char *name, char *const argv[])
{
	const struct proc_spawn spawn = { .argv = argv, .search = true };
	enum proc_step step = PROC_FORK;
	pid_t pid = proc_spawn(&spawn, &step);
	int status;

	if (pid == -1 && step == PROC_FORK)
		return report_fail(CODE_TEMP, "%s: fatal: unable to fork: %s", name,
		    errtext(errno));
	if (pid == -1 && !errtext_temporary(errno))
		return CODE_OK;
	if (pid == -1)
		return report_fail(CODE_TEMP, "%s: fatal: temporary child error", name);
	if (proc_wait(pid, &status) == -1)
		return report_fail(CODE_TEMP, "%s: fatal: wait failed", name);
	switch (proc_code(status)) {
	case 0:
		return TOOL_YES;
	case -1:
		return report_fail(CODE_TEMP, "%s: fatal: child crashed", name);
	case CODE_TEMP:
		return report_fail(CODE_TEMP, "%s: fatal: temporary child error", name);
	default:
		return CODE_OK;
	}
}

const char *
tool_variable(const char *name, const char *variable)
{
	const char *value = getenv(variable);

	if (!value)
		(void)report_fail(CODE_PERM, "%s: fatal: %s not set", name, variable);
	return value;
}

int
tool_forward(const char *name, const char *sender, const char *dtline, char *const recipients[])
{
	char pid[NUM_U64_SIZE];
	struct buf text = { 0 };
	struct submit s;
	enum submit_result result;
	int error, code = CODE_OK;

	sig_ignore(SIGPIPE);
	if (submit_open(&s) == -1)
		return report_fail(CODE_TEMP, "%s: fatal: unable to fork: %s", name,
		    errtext(errno));
	submit_set_timeout(&s, s.wait_ms);
	(void)num_format(pid, s.pid > 0 ? (uint64_t)s.pid : 0);
	submit_message(&s, dtline, span_str(dtline).n);
	error = submit_copy(&s, 0) == -1 ? errno : 0;
	submit_sender(&s, span_str(sender));
	for (size_t i = 0; recipients[i]; i++)
		submit_recipient(&s, span_str(recipients[i]));
	result = submit_close(&s, &text);
	if (error)
		code = report_fail(CODE_TEMP, "%s: fatal: unable to read message: %s", name,
		    errtext(error));
	else if (result != SUBMIT_OK)
		code = report_fail(result == SUBMIT_PERMANENT ? CODE_PERM : CODE_TEMP,
		    "%s: fatal: %s", name, buf_str(&text));
	else
		report_line(2, "%s: qp %s", name, pid);
	buf_free(&text);
	return code;
}
