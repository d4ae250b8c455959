/* forward - send a message to other addresses.
 *
 *	forward addr ...
 *
 * Run by: a .qmail line.  fd 0: the message, from where it stands.  fd 2: `forward: qp N`, or what
 * went wrong.  Environment: NEWSENDER is the envelope sender, DTLINE goes in front of the message.
 * The addresses are used as they are.
 * Exit: 0 queued, 100 refused or called wrongly, 111 temporary failure; then nothing is queued. */
#include "lib/conf.h"
#include "lib/report.h"
#include "local/tool.h"

int
main(int argc, char **argv)
{
	const char *sender, *dtline;

	if (tool_start("forward") != CODE_OK)
		return CODE_TEMP;
	if (!(sender = tool_variable("forward", "NEWSENDER")) ||
	    !(dtline = tool_variable("forward", "DTLINE")))
		return CODE_PERM;
	if (argc < 2)
		return report_fail(CODE_PERM, "forward: usage: forward addr ...");
	return tool_forward("forward", sender, dtline, argv + 1);
}
