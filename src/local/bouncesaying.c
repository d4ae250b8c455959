/* bouncesaying - bounce a message with a text, always or if a program says so.
 *
 *	bouncesaying error [ program [ arg ... ] ]
 *
 * Run by: a .qmail line.  Descriptors and environment are the program's.  fd 2: the text.
 * Exit: 100 without program or if it exited 0, or called wrongly; 111 it exited 111 or crashed;
 * 0 otherwise. */
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/report.h"
#include "local/tool.h"

int
main(int argc, char **argv)
{
	int answer = TOOL_YES;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (argc < 2)
		return report_fail(CODE_PERM,
		    "bouncesaying: usage: bouncesaying error [ program [ arg ... ] ]");
	if (argc > 2)
		answer = tool_ask("bouncesaying", argv + 2);
	return answer == TOOL_YES ? report_fail(CODE_PERM, "%s", argv[1]) : answer;
}
