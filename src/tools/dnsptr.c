/* dnsptr - print the name that DNS has for an IP address.
 * Usage: dnsptr ADDRESS.  Run by: config, anybody.  Exit: 0; 100 wrong usage or hard error; 111
 * soft error; the words for it on descriptor 2. */
#include "tools/dnstool.h"

#include "lib/conf.h"

int
main(int argc, char **argv)
{
	struct buf name = { 0 };
	enum dns_status status;
	struct ip ip;
	int code;

	if (argc != 2 || !ip_parse(span_str(argv[1]), &ip))
		return dnstool_usage("dnsptr", " IP-ADDRESS");
	status = dns_ptr(&ip, &name);
	code = status == DNS_OK ? dnstool_print(buf_span(&name)) : dnstool_complain(status);
	buf_free(&name);
	return code;
}
