/* qmail-remote - send one message by SMTP.
 * Run by: qmail-rspawn, as qmailr:qmail.  argv: host sender recipient...
 * fd 0: the message; fd 1: the report; fd 2 is a copy of fd 1, so nothing is ever written there.
 * Control files: remote/settings.h.  Environment: unused.  Starts qmail-tls when TLS begins.
 * Exit: always 0; the report tells the result (qmail-remote(8)). */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "remote/outgoing.h"
#include "remote/tlspolicy.h"

#define MIN_ARGUMENTS 4

/* Least power before the first byte from the network: control files and resolv.conf are read, the
 * message is open; what is left are the tables of hosts that time out, and what qmail-tls needs.
 * With a client certificate, qmail-tls, which is set-uid, reads the key: no_new_privs would forbid
 * it. */
static int
enter_sandbox(const struct settings *s, const struct smtproute *route)
{
	struct sandbox_path paths[] = {
		{ "queue/lock/tcpto", SANDBOX_WRITE },
		{ "queue/lock/tcpto6", SANDBOX_WRITE },
		{ "bin/qmail-tls", SANDBOX_RUN },
		{ "/lib", SANDBOX_RUN },		/* its loader and libraries, */
		{ "/lib64", SANDBOX_RUN },		/* wherever they are, */
		{ "/etc/ld.so.cache", SANDBOX_READ },	/* and their list */
		{ NULL, SANDBOX_READ },
		{ NULL, SANDBOX_READ },
		{ NULL, SANDBOX_CHANGE }
	};
	size_t n = 6;

	/* A password is nobody else's business, even if he runs as the same account. */
	if (route->user.n && sys_not_dumpable() == -1)
		return -1;
	if (s->client_certificate) {
		sandbox_limits();
		return 0;
	}
	if (s->tls_hosts)
		paths[n++] = (struct sandbox_path){ TLS_HOSTS, SANDBOX_READ };
	if (route->user.n)
		paths[n++] = (struct sandbox_path){ TLSPOLICY_AUTHORITIES, SANDBOX_READ };
	if (s->no_tls_hosts && s->note_no_tls)
		paths[n++] = (struct sandbox_path){ NO_TLS_HOSTS, SANDBOX_CHANGE };
	return sandbox_paths(paths, n);
}

/* NULL when all is ready, else the report. */
static const char *
prepare(int argc, char *const *argv, struct settings *settings, struct smtproute *route,
    struct dns **dns)
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
	*route = smtproute_find(&settings->routes, &settings->senders, span_str(argv[1]),
	    span_str(argv[2]));
	if (!settings_keep(settings, route))
		return "ZOut of memory. (#4.3.0)\n";
	if (enter_sandbox(settings, route) == -1)
		return "ZSystem resources temporarily unavailable. (#4.3.0)\n";
	return NULL;
}

static void
deliver(char *const *argv, size_t recipients, const struct settings *settings,
    const struct smtproute *route, struct dns *dns, struct buf *report)
{
	struct message message;
	const struct outgoing d = { .sender = span_str(argv[2]), .recipients = argv + 3,
		.n = recipients, .settings = settings, .route = *route, .dns = dns,
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
	struct smtproute route;
	struct dns *dns = NULL;
	const char *trouble;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1)
		return CODE_OK;
	trouble = prepare(argc, argv, &settings, &route, &dns);
	if (!trouble) {
		deliver(argv, (size_t)(argc - 3), &settings, &route, dns, &report);
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
