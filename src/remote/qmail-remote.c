/* qmail-remote - send one message by SMTP.
 * Run by: qmail-rspawn, as qmailr:qmail.  argv: host sender recipient...
 * fd 0: the message; fd 1: the report; fd 2 is a copy of fd 1, so nothing is ever written there.
 * Control files: me helohost smtproutes timeoutconnect timeoutremote.  Environment: unused.
 * Exit: always 0; the report tells the result (qmail-remote(8)). */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "remote/outgoing.h"

#define CLIENT_CERTIFICATE "control/clientcert.pem"
#define MIN_ARGUMENTS 4

/* Least power before the first byte from the network: control files and resolv.conf are read, the
 * message is open; what is left are the tables of hosts that time out.  With a client certificate,
 * qmail-tls, which is set-uid, reads the key: no_new_privs would forbid it. */
static int
enter_sandbox(void)
{
	static const struct sandbox_path paths[] = {
		{ "queue/lock/tcpto", SANDBOX_WRITE },
		{ "queue/lock/tcpto6", SANDBOX_WRITE }
	};

	if (access(CLIENT_CERTIFICATE, F_OK) == 0) {
		sandbox_limits();
		return 0;
	}
	return sandbox_paths(paths, sizeof paths / sizeof *paths);
}

/* NULL when *settings and *dns are ready, else the report. */
static const char *
prepare(int argc, struct settings *settings, struct dns **dns)
{
	if (argc < MIN_ARGUMENTS)
		return "DThis program was called with too few arguments. (#5.3.5)\n";
	if (chdir(QMAIL_HOME) == -1)
		return "ZThe home directory of the mail system is out of reach. (#4.3.0)\n";
	switch (settings_read(settings)) {
	case SETTINGS_OK:
		break;
	case SETTINGS_BAD_HELOHOST:
		return "ZThe control file helohost, or me, holds no host name. (#4.3.0)\n";
	case SETTINGS_UNREADABLE:
	default:
		return "ZUnable to read control files. (#4.3.0)\n";
	}
	*dns = dns_open();
	if (!*dns)
		return "ZOut of memory. (#4.3.0)\n";
	if (enter_sandbox() == -1)
		return "ZSystem resources temporarily unavailable. (#4.3.0)\n";
	return NULL;
}

static void
deliver(char *const *argv, size_t recipients, const struct settings *settings, struct dns *dns,
    struct buf *report)
{
	struct message message;
	const struct outgoing d = { .host = span_str(argv[1]), .sender = span_str(argv[2]),
		.recipients = argv + 3, .n = recipients, .settings = settings, .dns = dns,
		.message = &message };

	message_open(&message, 0);
	outgoing_run(&d, report);
}

static void
print(const char *text, size_t n)
{
	(void)!io_write_all(1, text, n);	/* nobody to tell if this fails */
}

int
main(int argc, char **argv)
{
	struct settings settings = { 0 };
	struct buf report = { 0 };
	struct dns *dns = NULL;
	const char *trouble;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1)
		return CODE_OK;
	trouble = prepare(argc, &settings, &dns);
	if (!trouble) {
		deliver(argv, (size_t)(argc - 3), &settings, dns, &report);
		if (!buf_ok(&report))
			trouble = "ZOut of memory. (#4.3.0)\n";
	}
	if (trouble)
		print(trouble, strlen(trouble) + 1);
	else
		print(report.p, report.n);
	dns_close(dns);
	settings_free(&settings);
	buf_free(&report);
	return CODE_OK;
}
