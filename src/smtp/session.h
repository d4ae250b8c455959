/* session - one SMTP connection: its streams, its limits and the transaction that is open. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/asker.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/envkeep.h"
#include "lib/io.h"
#include "net/ip.h"
#include "net/ipme.h"
#include "smtp/client.h"
#include "smtp/dnsbl.h"
#include "smtp/rcptcheck.h"
#include "smtp/lists.h"
#include "smtp/plugins.h"
#include "smtp/reply.h"
#include "smtp/s25r.h"
#include "smtp/smtpconf.h"
#include "smtp/spfcheck.h"
#include "smtp/starttls.h"

/* Limits, all of them in qmail-limits(7). */
#define SESSION_LINE_MAX ((size_t)2048)		/* a command with its CRLF */
#define SESSION_RECIPIENTS_MAX ((size_t)10000)
#define SESSION_RECIPIENT_BYTES_MAX ((size_t)8 << 20)
#define SESSION_ERRORS_MAX 20U			/* refused or unknown commands */
#define SESSION_IDLE_MAX 200U			/* commands since the last message or recipient */
#define SESSION_PUT_OFF_MAX 10000U		/* recipients of a transaction that come later */
#define SESSION_COMMAND_MS (INT64_C(300) * 1000)	/* at least, for one command line */
#define SESSION_MAX_MS (INT64_C(3600) * 1000)	/* the whole connection, and what follows: */
#define SESSION_MS_PER_BYTE 10			/* 100 bytes of message text in a second */

#define SESSION_INPUT 16384
#define SESSION_OUTPUT 1024

struct session {
	struct smtpconf *conf;
	struct io_in in;
	struct io_out out;
	int64_t begun;			/* deadline_now() at the start */
	uint64_t text_bytes;		/* of all messages, on the wire */
	struct buf line;		/* the command */
	unsigned errors, idle;

	struct ipme own;		/* our addresses, once somebody asked */
	bool own_known;

	bool said_hello, extended;	/* HELO or EHLO; EHLO */
	struct buf hello;		/* its argument */

	bool tls;			/* what is said is encrypted */
	struct starttls starttls;
	const char *relay_client;	/* RELAYCLIENT as it is now; NULL = not set */
	struct span remote_info;	/* who it is, for Received; p NULL: not known */
	struct buf user;		/* of AUTH; empty = not authenticated */
	struct buf tried;		/* name that this AUTH refuses, as the log may show it */
	unsigned auth_failures;
	struct envkeep authset;		/* variables that AUTH has changed */
	struct envkeep relay_before;	/* who might relay before it */

	struct asker dnsask;		/* qmail-dnsask */
	struct rcptcheck rcptcheck;
	struct client client;
	struct dnsbl dnsbl;
	struct s25r s25r;

	struct plugins_said plugins;
	struct lists_hits helo_hits, sender_hits;
	const char *helo_fault;		/* smtp/helocheck.h; NULL: none known */
	uint64_t bad_recipients;	/* refused, of the connection */
	uint64_t unlisted;		/* of them, those of VALIDRCPTTO_CDB */
	uint64_t messages, refusals;

	bool in_transaction;
	bool utf8;			/* MAIL said SMTPUTF8 */
	struct buf sender;
	struct buf recipient;		/* of this command */
	bool ours;			/* its domain is in rcpthosts, or there is none */
	struct buf said;		/* by checks_say, in the answer to this command */
	const char *refused_by;		/* the check that refuses this command; NULL: none */
	struct buf recipients;		/* each followed by NUL */
	size_t recipient_count;
	unsigned put_off;		/* recipients that are to come later */

	struct spfcheck spf;

	char input[SESSION_INPUT], output[SESSION_OUTPUT];
};

/* Serves descriptors 0 and 1.  Borrows conf until session_free. */
void session_init(struct session *s, struct smtpconf *conf);
void session_free(struct session *s);
/* Variables have changed: limits and lists are read again, and who may relay.  REPLY_OK, or why the
 * session has to end. */
MUST_CHECK enum reply session_adapt(struct session *s);
/* No transaction is open afterwards. */
void session_reset(struct session *s);
/* The next line without its end, into *line.  REPLY_OK, or why there is none: REPLY_LONG_LINE if
 * the buffer's cap was reached (the line is gone then), or what ends the connection. */
MUST_CHECK enum reply session_read_line(struct session *s, struct buf *line);
/* Finds out s->own, once. */
MUST_CHECK enum ipme_status session_own(struct session *s);
/* Sends what is answered so far: before everything that may take long.  Trouble shows in the next
 * read or write. */
void session_speak(struct session *s);
/* When the connection is over, whatever happens. */
int64_t session_deadline(const struct session *s);

#endif
