/* dnsptr - print the name that DNS has for an IP address.
 * Usage: dnsptr ADDRESS.  Run by: config, anybody.  Exit: 0; 100 wrong usage or hard error; 111
 * soft error; the words for it on descriptor 2. */
#include "lib/conf.h"
#include "tools/dnstool.h"

int
main(int argc, char **argv)
{
	struct buf name = { 0 };
	struct dns *dns;
	enum dns_status status;
	struct ip ip;
	int code;

	if (argc != 2 || !ip_parse(span_str(argv[1]), &ip))
		return dnstool_usage("dnsptr", " IP-ADDRESS");
	dns = dns_open();
	status = dns ? dns_ptr(dns, &ip, &name) : DNS_MEMORY;
	code = status == DNS_OK ? dnstool_print(buf_span(&name)) : dnstool_complain(status);
	buf_free(&name);
	dns_close(dns);
	return code;
}
