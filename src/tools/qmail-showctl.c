/* qmail-showctl - show how the mail system is configured.
 * Usage: qmail-showctl.  Run by: the administrator, anybody who may read control/.
 * fd 1: the text of tools/showctl.h.  Environment: unused.  Exit: 0; 111 if control/ or control/me
 * cannot be read, said on fd 1 as well. */
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "tools/showctl.h"

#define OUTPUT_SIZE 8192

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
	if (showctl_unknown(out) == -1)
		return oops(out, "Unable to open current directory");
	return io_flush(out) == -1 ? CODE_TEMP : CODE_OK;
}

int
main(void)
{
	char output[OUTPUT_SIZE];
	struct buf me = { 0 };
	struct io_out out;
	int code;

	/* No file rules: control files may be links to anywhere. */
	if (io_open_standard() == -1 || sandbox_plain(0) == -1)
		return CODE_TEMP;
	io_out_init(&out, 1, output, sizeof output);
	code = show(&out, &me);
	buf_free(&me);
	return code;
}
