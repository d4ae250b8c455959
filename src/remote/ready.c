/* ready - qmail-remote between what is the same for all deliveries and one delivery. */
#include "remote/ready.h"

#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sys.h"
#include "remote/outgoing.h"
#include "remote/starttls.h"
#include "remote/tlspolicy.h"

#define NO_MEMORY "ZOut of memory. (#4.3.0)\n"
#define NO_POWER "ZSystem resources temporarily unavailable. (#4.3.0)\n"

const char *
ready_read(struct ready *r)
{
	if (chdir(QMAIL_HOME) == -1)
		return "ZThe home directory of the mail system is out of reach. (#4.3.0)\n";
	switch (settings_read(&r->settings)) {
	case SETTINGS_OK:
		break;
	case SETTINGS_BAD_HELOHOST:
		return "ZThe control file helohost, or me, holds no host name. (#4.3.0)\n";
	case SETTINGS_UNREADABLE:
	default:
		return "ZUnable to read control files. (#4.3.0)\n";
	}
	r->dns = dns_open();
	return r->dns ? NULL : NO_MEMORY;
}

void
ready_free(struct ready *r)
{
	dns_close(r->dns);
	settings_free(&r->settings);
	*r = (struct ready){ .dns = NULL };
}

void
ready_print(const char *report)
{
	(void)!io_write_all(1, report, strlen(report) + 1);	/* nobody to tell if this fails */
}

/* Least power before the first byte from the network: control files and resolv.conf are read, the
 * message is open; what is left are the tables of hosts that time out, and what qmail-tls needs.
 * With a client certificate, qmail-tls, which is set-uid, reads the key: no_new_privs would forbid
 * it. */
int
ready_enter(const struct ready *r, const struct smtproute *route)
{
	const struct settings *s = &r->settings;
	struct sandbox_path paths[] = {
		{ "queue/lock/tcpto", SANDBOX_WRITE },
		{ "queue/lock/tcpto6", SANDBOX_WRITE },
		{ STARTTLS_PROGRAM, SANDBOX_RUN },
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

static struct smtproute
find_route(const struct ready *r, const char *host, const char *sender)
{
	return smtproute_find(&r->settings.routes, &r->settings.senders, span_str(host),
	    span_str(sender));
}

static void
deliver(const struct ready *r, const struct smtproute *route, const char *sender,
    char *const *recipients, size_t n, struct reuse *reuse, struct buf *report)
{
	struct message message;
	struct outgoing d = { .sender = span_str(sender), .recipients = recipients, .n = n,
		.settings = &r->settings, .route = *route, .dns = r->dns, .message = &message,
		.reuse = reuse };

	message_open(&message, 0);
	outgoing_run(&d, report);
	if (!buf_ok(report)) {
		buf_free(report);
		buf_add(report, NO_MEMORY, sizeof NO_MEMORY);
	}
	/* One of many: what is left would be there while a stranger talks to the next. */
	message_wipe(&message);
}

void
ready_deliver_one(const struct ready *r, const char *host, const char *sender,
    char *const *recipients, size_t n, struct reuse *reuse, struct buf *report)
{
	const struct smtproute route = find_route(r, host, sender);

	deliver(r, &route, sender, recipients, n, reuse, report);
}

void
ready_deliver(struct ready *r, const char *host, const char *sender, char *const *recipients,
    size_t n)
{
	struct smtproute route = find_route(r, host, sender);
	struct buf report = { 0 };

	if (!settings_keep(&r->settings, &route)) {
		ready_print(NO_MEMORY);
		return;
	}
	if (ready_enter(r, &route) == -1) {
		ready_print(NO_POWER);
		return;
	}
	deliver(r, &route, sender, recipients, n, NULL, &report);
	if (buf_ok(&report))
		(void)!io_write_all(1, report.p, report.n);	/* nobody to tell if this fails */
	else
		ready_print(NO_MEMORY);
	buf_free(&report);
}
