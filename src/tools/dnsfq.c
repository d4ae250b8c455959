/* dnsfq - print the full name of a host: the PTR name of its first address.
 * Usage: dnsfq NAME.  Run by: config.  Exit: 0; 100 wrong usage, hard error or no addresses; 111
 * soft error; the words for it on descriptor 2. */
#include "lib/conf.h"
#include "tools/dnstool.h"

int
main(int argc, char **argv)
{
	struct ip_list found = { 0 };
	struct buf name = { 0 };
	struct dns *dns;
	enum dns_status status;
	int code;

	if (argc != 2)
		return dnstool_usage("dnsfq", " NAME");
	dns = dns_open();
	status = dns ? dns_addresses(dns, span_str(argv[1]), &found) : DNS_MEMORY;
	if (status == DNS_OK && found.n)
		status = dns_ptr(dns, &found.list[0], &name);
	code = status == DNS_OK && found.n ? dnstool_print(buf_span(&name)) :
	    dnstool_complain(status);
	ip_list_free(&found);
	buf_free(&name);
	dns_close(dns);
	return code;
}
