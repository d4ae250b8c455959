/* dnscname - print the name that an alias stands for; the name itself if it is none.
 * Usage: dnscname NAME.  Run by: anybody.  Exit: 0; 100 wrong usage; 111 soft error; the words for
 * it on descriptor 2. */
#include "lib/conf.h"
#include "tools/dnstool.h"

int
main(int argc, char **argv)
{
	struct buf name = { 0 };
	struct dns *dns;
	enum dns_status status;
	int code;

	if (argc != 2)
		return dnstool_usage("dnscname", " NAME");
	dns = dns_open();
	status = dns ? dns_canonical(dns, span_str(argv[1]), &name) : DNS_MEMORY;
	code = status == DNS_OK ? dnstool_print(buf_span(&name)) : dnstool_complain(status);
	buf_free(&name);
	dns_close(dns);
	return code;
}
