/* dnsip - print the IP addresses of a name, one a line.
 * Usage: dnsip NAME.  Run by: config, anybody.  Exit: 0; 100 wrong usage, hard error or no
 * addresses; 111 soft error; the words for it on descriptor 2. */
#include "lib/conf.h"
#include "tools/dnstool.h"

int
main(int argc, char **argv)
{
	struct ip_list found = { 0 };
	struct dns *dns;
	enum dns_status status;
	int code = CODE_OK;

	if (argc != 2)
		return dnstool_usage("dnsip", " NAME");
	dns = dns_open();
	status = dns ? dns_addresses(dns, span_str(argv[1]), &found) : DNS_MEMORY;
	if (status != DNS_OK || !found.n)
		code = dnstool_complain(status);
	for (size_t i = 0; code == CODE_OK && i < found.n; i++) {
		char text[IP_TEXT_SIZE];

		code = dnstool_print(span_str(ip_format(&found.list[i], text)));
	}
	ip_list_free(&found);
	dns_close(dns);
	return code;
}
