/* ipmetest - is an address this host, as the suite sees it?
 * Usage: ipmetest IP.  Run by: anybody.  Prints `me` or `not me`.
 * Controls: moreipme, notipme; a line of them that is no network is told on descriptor 2.
 * Exit: 0 in both cases; 100 wrong usage, no address; 111 trouble. */
#include <errno.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/report.h"
#include "net/ipme.h"
#include "tools/dnstool.h"

/* Programs that run for each connection pass over such lines without a word. */
static void
warn_of_lines(const char *name, enum ctl_status status, const struct buf *text)
{
	struct span line;
	size_t pos = 0, number = 0;

	while (status == CTL_FOUND && ctl_next_line(text, &pos, &number, &line)) {
		struct ipme_net net;

		if (!ipme_parse_net(line, &net))
			report_line(2, "ipmetest: warning: control/%s line %zu: no network", name,
			    number);
	}
}

static void
warn(void)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);

	warn_of_lines("moreipme", ctl_text("moreipme", &text), &text);
	warn_of_lines("notipme", ctl_text("notipme", &text), &text);
	buf_free(&text);
}

int
main(int argc, char **argv)
{
	struct ipme me = { .n = 0 };
	struct ip ip;
	int code;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (argc != 2 || !ip_parse(span_str(argv[1]), &ip))
		return dnstool_usage("ipmetest", " IP");
	if (chdir(QMAIL_HOME) == -1 || ipme_read(&me, NULL) != IPME_OK)
		return report_fail(CODE_TEMP, "ipmetest: fatal: unable to find my addresses: %s",
		    errtext(errno));
	warn();
	code = dnstool_print(span_str(ipme_has(&me, &ip) ? "me" : "not me"));
	ipme_free(&me);
	return code;
}
