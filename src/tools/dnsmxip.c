/* dnsmxip - print where mail for a host goes: `ADDRESS PREFERENCE`, one a line, best ones first.
 * Usage: dnsmxip NAME.  Run by: anybody.  Without MX records: the host's own addresses, preference
 * 0.  Exit: 0; 100 wrong usage, hard error, no addresses or no mail wanted; 111 soft error; the
 * words for it on descriptor 2. */
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "tools/dnstool.h"

static int
compare(const void *a, const void *b)
{
	const struct dns_mx *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference < y->preference ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
print(const struct ip_list *found, uint16_t preference)
{
	int code = CODE_OK;

	for (size_t i = 0; code == CODE_OK && i < found->n; i++) {
		struct buf line = { 0 };
		char text[IP_TEXT_SIZE];

		buf_adds(&line, ip_format(&found->list[i], text));
		buf_addc(&line, ' ');
		buf_addnum(&line, preference);
		code = buf_ok(&line) ? dnstool_print(buf_span(&line)) :
		    dnstool_complain(DNS_MEMORY);
		buf_free(&line);
	}
	return code;
}

/* *status: DNS_OK once there was an address, else what was in the way.  The code of a failure to
 * print. */
static int
show_host(struct dns *dns, const char *name, uint16_t preference, enum dns_status *status)
{
	struct ip_list found = { 0 };
	enum dns_status got = dns_addresses(dns, span_str(name), &found);
	int code = CODE_OK;

	if (got == DNS_OK && found.n)
		code = print(&found, preference);
	if (got == DNS_OK || (*status != DNS_OK && *status != DNS_SOFT))
		*status = got;
	ip_list_free(&found);
	return code;
}

static int
show(struct dns *dns, const char *host)
{
	struct dns_mx_list mx = { 0 };
	enum dns_status status = dns_mx(dns, span_str(host), &mx), addresses = DNS_ABSENT;
	int code = CODE_OK;

	if (status == DNS_ABSENT) {
		code = show_host(dns, host, 0, &addresses);
	} else if (status == DNS_OK) {
		qsort(mx.list, mx.n, sizeof *mx.list, compare);
		/* The root: no mail is wanted there. */
		for (size_t i = 0; code == CODE_OK && i < mx.n; i++)
			if (mx.list[i].name[0])
				code = show_host(dns, mx.list[i].name, mx.list[i].preference,
				    &addresses);
	} else {
		addresses = status;
	}
	dns_mx_free(&mx);
	return code == CODE_OK && addresses != DNS_OK ? dnstool_complain(addresses) : code;
}

int
main(int argc, char **argv)
{
	struct dns *dns;
	int code;

	if (argc != 2)
		return dnstool_usage("dnsmxip", " NAME");
	if (!(dns = dns_open()))
		return dnstool_complain(DNS_MEMORY);
	code = show(dns, argv[1]);
	dns_close(dns);
	return code;
}
