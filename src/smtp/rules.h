/* rules - small limits and tests of qmail-smtpd, each with a switch of its own and off without it:
 * null senders, relay characters, recipients of a message, bad recipients of a connection, sender
 * domains that do not exist; and delays that programs do not wait for.  qmail-policy(5) has the
 * switches. */
#ifndef SMTP_RULES_H
#define SMTP_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "smtp/reply.h"

#define RULES_DELAY_MAX_S 60	/* more is cut: a delay holds one of the connections */

struct rules {
	bool no_null_senders;		/* rejectnullsenders */
	bool no_relay_characters;	/* rejectrelaytest */
	uint64_t max_recipients;	/* of a message; 0 = no limit */
	uint64_t max_bad_recipients;	/* of a connection; 0 = no limit */
	uint64_t check_domain;		/* 0 off; 1; 2 failures are logged; 3 the rest, too */
	uint64_t greet_delay_s;
	bool drop_talkers;		/* who talk before the greeting */
	uint64_t tarpit_count;		/* recipients that do not wait; 0 = none wait */
	uint64_t tarpit_delay_s;
	uint64_t hide_client;		/* from Received, if it may relay; 2: its user, too */
	bool utf8;			/* SMTPUTF8 is offered */
	bool no_bare_cr;		/* barecr: a text with CR that ends no line is refused */
};

struct session;

/* cwd = the home directory; *rules {0}.  -1: a control file cannot be read. */
MUST_CHECK int rules_read(struct rules *rules, const struct ctlnames *names);

/* Where SMTPUTF8 is offered: may the address be what it is in this transaction? */
MUST_CHECK enum reply rules_utf8(const struct session *s, const struct buf *address);

/* Checks (smtp/checks.h). */
MUST_CHECK enum reply rules_greet_delay(struct session *s, struct buf *none);
MUST_CHECK enum reply rules_null_sender(struct session *s, struct buf *sender);
MUST_CHECK enum reply rules_sender_domain(struct session *s, struct buf *sender);
MUST_CHECK enum reply rules_relay_characters(struct session *s, struct buf *recipient);
MUST_CHECK enum reply rules_recipient_count(struct session *s, struct buf *recipient);
MUST_CHECK enum reply rules_bad_recipients(struct session *s, struct buf *recipient);
MUST_CHECK enum reply rules_tarpit(struct session *s, struct buf *recipient);

#endif
