/* qmail-qmtpd - receive mail by QMTP from one client and hand it to qmail-queue.
 * Run by: tcpserver, as qmaild:nofiles.  fd 0, 1: the client; fd 2: the log, or the client again.
 * argv: ignored.  Environment: tcp-environ(5), RELAYCLIENT, DATABYTES, QMAILQUEUE.
 * Control files: me, those of mail/intake.h.
 * Exit: CODE_OK the client is gone; CODE_PERM it does not speak QMTP; CODE_TEMP it is too slow, or
 * trouble on this host. */
#include <signal.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "mail/intake.h"
#include "qmtp/package.h"
#include "qmtp/wire.h"

static int
read_controls(struct intake *intake)
{
	struct buf me = { 0 };
	enum ctl_status status = ctl_line("me", &me);

	buf_free(&me);
	return status == CTL_ERROR ? -1 : intake_read(intake, NULL) == -1 ?
	    -1 : intake_read_senders(intake);
}

static void
warn_open_relay(const struct intake *intake)
{
	static const char warning[] = "qmail-qmtpd" INTAKE_WARNING;

	if (intake_warns(intake))
		(void)!io_write(2, warning, sizeof warning - 1);
}

int
main(void)
{
	struct intake intake = { 0 };
	struct wire w;

	sig_ignore(SIGPIPE);
	sandbox_limits();
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1 || read_controls(&intake) == -1)
		return CODE_TEMP;
	warn_open_relay(&intake);
	wire_init(&w);
	while (w.status == WIRE_OK)
		package_receive(&w, &intake);
	intake_free(&intake);
	return wire_end(&w);
}
