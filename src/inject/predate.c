/* predate - put a Date field in front of a message.
 *
 *	predate child [ arg ... ]
 *
 * Run by: users, datemail.  fd 0: the message; the child gets a pipe.  Environment: TZ; all of it
 * is handed on.
 * Exit: the child's own code, even if it did not read everything; 100 called wrongly; 111 the
 * child cannot be run, crashed, or did not get everything. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/feed.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sig.h"

static int
complain(enum feed_status status, const char *child)
{
	switch (status) {
	case FEED_EXEC:
		return report_fail(CODE_TEMP, "predate: fatal: unable to run %s: %s", child,
		    errtext(errno));
	case FEED_READ:
	case FEED_WRITE:
		return report_fail(CODE_TEMP, "predate: fatal: unable to copy input: %s",
		    errtext(errno));
	case FEED_PIPE:
		return report_fail(CODE_TEMP, "predate: fatal: unable to create pipe: %s",
		    errtext(errno));
	case FEED_FORK:
		return report_fail(CODE_TEMP, "predate: fatal: unable to fork: %s",
		    errtext(errno));
	case FEED_CRASH:
		return report_fail(CODE_TEMP, "predate: fatal: child crashed");
	default:
		return report_fail(CODE_TEMP, "predate: fatal: wait failed");
	}
}

int
main(int argc, char **argv)
{
	char date[DATE_SIZE], field[DATE_SIZE + 8];
	enum feed_status status;
	int code;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	sig_ignore(SIGPIPE);
	if (argc < 2)
		return report_fail(CODE_PERM, "predate: usage: predate child");
	(void)date_header_local(date, date_now());
	(void)snprintf(field, sizeof field, "Date: %s\n", date);
	status = feed_run(argv + 1, span_str(field), 0, &code);
	return status == FEED_OK ? code : complain(status, argv[1]);
}
