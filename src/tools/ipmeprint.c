/* ipmeprint - print the IP addresses of this host's own interfaces, one a line.
 * Run by: config.  Exit: 0; 111 they cannot be found out. */
#include "lib/conf.h"
#include "tools/dnstool.h"

int
main(void)
{
	struct ip_list own = { 0 };
	int code = ip_own(&own) == -1 ? CODE_TEMP : CODE_OK;

	for (size_t i = 0; code == CODE_OK && i < own.n; i++) {
		char text[IP_TEXT_SIZE];

		code = dnstool_print(span_str(ip_format(&own.list[i], text)));
	}
	ip_list_free(&own);
	return code;
}
