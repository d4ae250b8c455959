/* qmail-smtpd - receive mail by SMTP from one client and hand it to qmail-queue.
 * Run by: tcpserver (or inetd through tcp-env), as qmaild:nofiles.  fd 0, 1: the client; fd 2: the
 * log, or, under inetd, the client again.  argv: how clients authenticate, smtp/authconf.h.
 * Environment: tcp-environ(5), RELAYCLIENT, DATABYTES, QMAILQUEUE, those of AUTH.
 * Controls: smtp/smtpconf.h.
 * Exit: 0 after QUIT, else 1. */
#include <signal.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "smtp/auth.h"
#include "smtp/dialog.h"
#include "smtp/reply.h"
#include "smtp/session.h"
#include "smtp/smtpconf.h"
#include "smtp/smtplog.h"

#define CODE_QUIT 0
#define CODE_OTHER_END 1

static void
warn_open_relay(const struct intake *intake)
{
	static const char warning[] = "qmail-smtpd" INTAKE_WARNING;

	if (intake_warns(intake))
		(void)!io_write(2, warning, sizeof warning - 1);
}

/* The reply that takes the place of the greeting. */
static int
refuse_to_serve(struct smtpconf *conf)
{
	char buffer[SESSION_OUTPUT];
	struct io_out out;

	io_out_init(&out, 1, buffer, sizeof buffer);
	out.timeout_ms = SESSION_COMMAND_MS;
	reply_put(&out, REPLY_CONTROLS);
	(void)!io_flush(&out);
	smtplog_unserved(REPLY_CONTROLS);
	smtpconf_free(conf);
	return CODE_OTHER_END;
}

static int
enter_home(void)
{
	return chdir(QMAIL_HOME) == -1 ? smtplog_unread(QMAIL_HOME) : 0;
}

int
main(int argc, char *argv[])
{
	struct smtpconf conf = { 0 };
	struct session session;
	bool quit;

	sig_ignore(SIGPIPE);
	sandbox_limits();
	if (io_open_standard() == -1 || enter_home() == -1 ||
	    smtpconf_read(&conf, argv + (argc > 0)) == -1)
		return refuse_to_serve(&conf);
	warn_open_relay(&conf.intake);
	auth_explain(&conf.auth);
	session_init(&session, &conf);
	quit = dialog_run(&session);
	session_free(&session);
	smtpconf_free(&conf);
	return quit ? CODE_QUIT : CODE_OTHER_END;
}
