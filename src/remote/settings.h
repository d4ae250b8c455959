/* settings - the control files of qmail-remote (qmail-control(5)). */
#ifndef REMOTE_SETTINGS_H
#define REMOTE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/filemark.h"
#include "lib/set.h"
#include "remote/smtproute.h"

#define CONTROL_DIRECTORY "control/"
#define CLIENT_CERTIFICATE CONTROL_DIRECTORY "clientcert.pem"
#define TLS_HOSTS CONTROL_DIRECTORY "tlshosts"		/* directories */
#define NO_TLS_HOSTS CONTROL_DIRECTORY "notlshosts"

struct settings {
	struct buf me;			/* empty if there is none */
	struct buf helohost;		/* fit for EHLO */
	struct set routes;		/* smtproutes */
	struct set senders;		/* authsenders */
	struct buf route;		/* what settings_keep has kept */
	struct buf outgoingip, domainips;	/* list form; empty if absent */
	struct buf moreipme, notipme;		/* the same */
	struct buf tls_ciphers;		/* tlsclientciphers; lines joined by `:` */
	int64_t connect_ms;		/* timeoutconnect */
	int64_t timeout_ms;		/* timeoutremote */
	uint64_t reuse;			/* remotereuse */
	bool client_certificate;	/* these are there: */
	bool tls_hosts, no_tls_hosts;
	bool note_no_tls;		/* notlshosts_auto is above 0 */
};

enum settings_status {
	SETTINGS_OK,
	SETTINGS_UNREADABLE,		/* or neither helohost nor me is there */
	SETTINGS_BAD_HELOHOST		/* neither a name nor an address literal */
};

/* cwd = the home directory.  {0} is empty; free it whatever is returned. */
MUST_CHECK enum settings_status settings_read(struct settings *s);
/* Of all routes with their logins only this one is needed: it is kept, and nothing of the others is
 * left in memory.  false: out of memory. */
MUST_CHECK bool settings_keep(struct settings *s, struct smtproute *route);
/* Wipes the login, too. */
void settings_free(struct settings *s);
/* Is there a login among the routes? */
bool settings_hold_password(const struct settings *s);

#define SETTINGS_FILES 15

/* How the files looked; {0}: nothing is known. */
struct settings_marks {
	struct filemark directory, resolver, tls, files[SETTINGS_FILES];
	bool fresh;		/* something may change again without a trace */
};

/* To be taken before reading.  resolv.conf is among them, and qmail-tls: the sandbox
 * knows the file that was there. */
void settings_mark(struct settings_marks *m);
bool settings_changed(const struct settings_marks *m);

#endif
