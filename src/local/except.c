/* except - turn a program's answer round: its success is a permanent failure.
 *
 *	except program [ arg ... ]
 *
 * Run by: a .qmail line.  Descriptors and environment are the program's.
 * Exit: 100 the program exited 0, or called wrongly; 111 it exited 111 or crashed; 0 otherwise. */
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/report.h"
#include "local/tool.h"

int
main(int argc, char **argv)
{
	int answer;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (argc < 2)
		return report_fail(CODE_PERM, "except: usage: except program [ arg ... ]");
	answer = tool_ask("except", argv + 1);
	return answer == TOOL_YES ? CODE_PERM : answer;
}
