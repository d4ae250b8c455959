/* qmail-tcpok - forget which hosts did not answer, so that all are tried again.
 * Run by: the administrator, as root or qmailr.  fd 2: what went wrong.
 * Arguments, environment: unused.  The tables are locked while they are cleared.
 * Exit: 0, CODE_TEMP. */
#include <errno.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "queue/tcpto.h"

static int
fatal(const char *what, const char *path, const char *file)
{
	return report_fail(CODE_TEMP, "qmail-tcpok: fatal: unable to %s%s%s: %s", what, path, file,
	    errtext(errno));
}

static int
forget(bool v6, const char *file)
{
	static const char *const steps[] = { [TCPTO_OPEN] = "write ", [TCPTO_LOCK] = "lock ",
		[TCPTO_WRITE] = "clear " };
	enum tcpto_status status = tcpto_reset("queue/lock", v6);

	return status == TCPTO_OK ? CODE_OK :
	    fatal(steps[status], QMAIL_HOME "/queue/lock/", file);
}

int
main(void)
{
	static const struct sandbox_path tables[] = { { "queue/lock", SANDBOX_WRITE } };

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (chdir(QMAIL_HOME) == -1)
		return fatal("chdir to ", QMAIL_HOME, "");
	if (sandbox_paths(tables, sizeof tables / sizeof *tables) == -1)
		return fatal("restrict itself", "", "");
	if (forget(false, TCPTO_FILE) != CODE_OK)
		return CODE_TEMP;
	return forget(true, TCPTO6_FILE);
}
