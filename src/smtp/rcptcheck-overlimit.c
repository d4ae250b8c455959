/* rcptcheck-overlimit - limit the recipients of each user or client in a day.
 * Run by: qmail-smtpd, for each recipient, if $RCPTCHECK names it, as the user of that.
 * fd 2: the log.  Arguments: unused.  Environment: SMTPAUTHUSER, TCPREMOTEIP, RELAYCLIENT.
 * Controls: relaylimits.  State: overlimit/ in the home directory, smtp/overlimit.h.
 * Exit, as smtp/rcptprog.h has it: 0 counted, or no limit; 113 too many; 111 cannot tell. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "smtp/overlimit.h"

#define PROGRAM "rcptcheck-overlimit"
#define DIRECTORY "overlimit"
#define CODE_TOO_MANY 113

static void
read_client(struct overlimit_client *c)
{
	struct span ip = span_str(getenv("TCPREMOTEIP"));

	c->user = span_str(getenv("SMTPAUTHUSER"));
	c->relays = getenv("RELAYCLIENT") || c->user.n;
	if (!ip_parse(ip, &c->ip))
		c->ip.family = IP_NONE;
}

/* `rcptcheck-overlimit: <joe> at 192.0.2.7 has had 500 recipients today`; bytes that a log may not
 * have, as `?`. */
static int
refuse(const struct overlimit_client *c, uint64_t limit)
{
	struct buf line = { 0 };
	char ip[IP_TEXT_SIZE] = "unknown";

	if (c->ip.family != IP_NONE)
		(void)ip_format(&c->ip, ip);
	log_add_visible(&line, c->user, false, '?');
	if (buf_ok(&line))
		report_line(2, PROGRAM ": <%s> at %s has had %ju recipients today",
		    buf_str(&line), ip, (uintmax_t)limit);
	buf_free(&line);
	return CODE_TOO_MANY;
}

static int
count(const struct overlimit_client *c, uint64_t limit)
{
	if (!c->user.n && c->ip.family == IP_NONE)
		return report_fail(CODE_TEMP, PROGRAM ": neither SMTPAUTHUSER nor TCPREMOTEIP");
	switch (overlimit_count(DIRECTORY, c, limit, date_now())) {
	case OVERLIMIT_COUNTED:
		return CODE_OK;
	case OVERLIMIT_REACHED:
		return refuse(c, limit);
	case OVERLIMIT_FULL:
		return report_fail(CODE_TEMP, PROGRAM ": too many users and clients for a day");
	default:
		return report_fail(CODE_TEMP, PROGRAM ": unable to count in "
		    QMAIL_HOME "/" DIRECTORY ": %s", errtext(errno));
	}
}

static int
check(const struct buf *limits)
{
	struct overlimit_client c = { 0 };
	uint64_t limit;
	size_t line;

	read_client(&c);
	switch (overlimit_find(limits, &c, &limit, &line)) {
	case OVERLIMIT_UNLIMITED:
		return CODE_OK;
	case OVERLIMIT_LIMITED:
		return count(&c, limit);
	default:
		return report_fail(CODE_TEMP, PROGRAM ": control/relaylimits, line %zu: no number",
		    line);
	}
}

int
main(void)
{
	struct buf limits = BUF_CAP(CTL_FILE_MAX);
	int code = CODE_OK;

	sandbox_limits();
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1)
		return report_fail(CODE_TEMP, PROGRAM ": unable to change to " QMAIL_HOME ": %s",
		    errtext(errno));
	switch (ctl_text("relaylimits", &limits)) {
	case CTL_FOUND:
		code = check(&limits);
		break;
	case CTL_ABSENT:
		break;
	default:
		code = report_fail(CODE_TEMP, PROGRAM ": unable to read control/relaylimits: %s",
		    errtext(errno));
	}
	buf_free(&limits);
	return code;
}
