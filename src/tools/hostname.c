/* hostname - print this host's name, as the kernel has it.
 * Run by: config.  Not installed in bin.  Exit: 0; 111 there is none. */
#include <unistd.h>

#include "lib/conf.h"
#include "tools/dnstool.h"

int
main(void)
{
	char name[256] = "";

	if (gethostname(name, sizeof name - 1) == -1 || !*name)
		return CODE_TEMP;
	return dnstool_print(span_str(name));
}
