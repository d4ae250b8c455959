/* dnstool - what the little programs around `config` share: their words for DNS results. */
#include "tools/dnstool.h"

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/io.h"

static int
say(int fd, const char *a, const char *b, struct span c)
{
	struct buf line = { 0 };
	int r = -1;

	buf_adds(&line, a);
	buf_adds(&line, b);
	buf_addspan(&line, c);
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		r = io_write_all(fd, line.p, line.n);
	buf_free(&line);
	return r;
}

int
dnstool_complain(enum dns_status status)
{
	const char *text = status == DNS_ABSENT ? "hard error" :
	    status == DNS_SOFT ? "soft error" :
	    status == DNS_MEMORY ? "out of memory" : "no IP addresses";

	(void)say(2, text, "", span_str(""));
	return status == DNS_SOFT || status == DNS_MEMORY ? CODE_TEMP : CODE_PERM;
}

int
dnstool_print(struct span line)
{
	return say(1, "", "", line) == -1 ? CODE_TEMP : CODE_OK;
}

int
dnstool_usage(const char *name, const char *what)
{
	(void)say(2, "usage: ", name, span_str(what));
	return CODE_PERM;
}
