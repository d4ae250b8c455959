/* qmail-showctl - show how the mail system is configured.
 * Usage: qmail-showctl [-w].  Run by: the administrator, anybody who may read control/.
 * fd 1: the text of tools/showctl.h, with -w that of tools/advice.h instead.  fd 2: on a terminal,
 * the latter.  Environment: unused.
 * Exit: 0; 1 if -w found something; 100 misused; 111 if control/ or control/me cannot be read, said
 * on fd 1 as well. */
#include <stdbool.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/io.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "tools/advice.h"
#include "tools/showctl.h"

#define OUTPUT_SIZE 8192
#define CODE_FINDINGS 1

static int
oops(struct io_out *out, const char *text)
{
	io_puts(out, "Oops! ");
	io_puts(out, text);
	io_puts(out, ".\n");
	(void)!io_flush(out);
	return CODE_TEMP;
}

static int
show(struct io_out *out, struct buf *me)
{
	enum ctl_status status;

	showctl_build(out);
	if (chdir(QMAIL_HOME) == -1)
		return oops(out, "Unable to chdir to " QMAIL_HOME);
	status = ctl_line("me", me);
	if (status == CTL_ERROR)
		return oops(out, "Trouble reading control/me");
	if (access("control", X_OK) == -1)
		return oops(out, "Unable to chdir to control");
	if (access("control", R_OK) == -1)
		return oops(out, "Unable to open current directory");
	showctl_files(out, status == CTL_FOUND ? span_str(buf_str(me)) : span_str(NULL));
	if (showctl_others(out) == -1)
		return oops(out, "Unable to open current directory");
	if (io_flush(out) == -1)
		return CODE_TEMP;
	/* Scripts compare what they get; people want to know. */
	if (isatty(1) && isatty(2))
		(void)advice_give(2);
	return CODE_OK;
}

static int
warn(void)
{
	if (chdir(QMAIL_HOME) == -1 || access("control", R_OK | X_OK) == -1)
		return report_fail(CODE_TEMP, "qmail-showctl: cannot read " QMAIL_HOME "/control");
	return advice_give(1) ? CODE_FINDINGS : CODE_OK;
}

/* 1.03 has no options and takes no notice of operands. */
static bool
read_options(int argc, char **argv, bool *warnings)
{
	struct opt o = OPT_INIT(argc, argv);

	for (int c; (c = opt_next(&o, "w")) != OPT_END;)
		if (c != 'w')
			return false;
		else
			*warnings = true;
	return true;
}

int
main(int argc, char **argv)
{
	char output[OUTPUT_SIZE];
	struct buf me = { 0 };
	bool warnings = false;
	struct io_out out;
	int code;

	/* No file rules: control files may be links to anywhere. */
	if (io_open_standard() == -1 || sandbox_plain(0) == -1)
		return CODE_TEMP;
	if (!read_options(argc, argv, &warnings))
		return report_fail(CODE_PERM, "usage: qmail-showctl [-w]");
	if (warnings)
		return warn();
	io_out_init(&out, 1, output, sizeof output);
	code = show(&out, &me);
	buf_free(&me);
	return code;
}
