/* condredirect - send a message to another address if a program says so.
 *
 *	condredirect newaddress program [ arg ... ]
 *
 * Run by: a .qmail line.  fd 0: the message; the program reads it first, then it is rewound.
 * fd 2: `condredirect: qp N`, or what went wrong.  Environment: SENDER is the envelope sender,
 * DTLINE goes in front of the message; both are needed only if the program says yes.
 * Exit: 99 redirected, so the rest of the .qmail file is skipped; 0 the program said no (any code
 * but 0 and 111); 100 refused or called wrongly; 111 temporary failure. */
#include <errno.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/report.h"
#include "local/tool.h"

static const char name[] = "condredirect";

static int
redirect(char *address)
{
	char *const recipients[] = { address, NULL };
	const char *sender, *dtline;
	int code;

	if (lseek(0, 0, SEEK_SET) == -1)
		return report_fail(CODE_TEMP, "%s: fatal: unable to rewind: %s", name,
		    errtext(errno));
	if (!(sender = tool_variable(name, "SENDER")) || !(dtline = tool_variable(name, "DTLINE")))
		return CODE_PERM;
	code = tool_forward(name, sender, dtline, recipients);
	return code == CODE_OK ? CODE_STOP : code;
}

int
main(int argc, char **argv)
{
	int answer;

	if (tool_start(name) != CODE_OK)
		return CODE_TEMP;
	if (argc < 3)
		return report_fail(CODE_PERM,
		    "%s: usage: condredirect newaddress program [ arg ... ]", name);
	answer = tool_ask(name, argv + 2);
	return answer == TOOL_YES ? redirect(argv[1]) : answer;
}
