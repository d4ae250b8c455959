/* rcptcheck - does the sender look right, does the recipient exist?  (chkuser 2.0.9's switches,
 * replies and log lines; the looking up is done by qmail-chkuser(8), a process of its own.)
 *
 * Off, and then without a trace, unless CHKUSER_START is ALWAYS or DOMAIN.  Each MAIL and RCPT that
 * comes here gives one line on descriptor 2 (unless that is the client), of at most
 * RCPTCHECK_LOG_MAX bytes:
 *
 *	CHKUSER rejected rcpt: from <a@b.example::> remote <x:unknown:192.0.2.7> rcpt <u@c.example>
 *	: not existing recipient
 *
 * (one line).  What the client says loses blanks, control bytes, colons and angle brackets. */
#ifndef SMTP_RCPTCHECK_H
#define SMTP_RCPTCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/asker.h"
#include "lib/attr.h"
#include "lib/span.h"
#include "smtp/reply.h"

#define RCPTCHECK_ANSWER_MS (INT64_C(30) * 1000)	/* for one answer of qmail-chkuser */
#define RCPTCHECK_LOG_MAX ((size_t)4096)
#define RCPTCHECK_DELAY_MS 1000		/* before a recipient is refused, */
#define RCPTCHECK_DELAY_MORE_MS 300	/* and for each one that was before */
#define RCPTCHECK_DELAY_MAX_MS 10000

struct session;

/* What one connection has seen.  {0} at its start. */
struct rcptcheck {
	struct asker checker;	/* qmail-chkuser */
	uint64_t recipients, wrong;	/* accepted, refused */
	bool intruded;		/* over one of the limits: nothing is accepted any more */
};

/* At MAIL, with the sender in s.  REPLY_OK, or a refusal that is written already. */
MUST_CHECK enum reply rcptcheck_sender(struct session *s);
/* At RCPT, where the client may send to that domain.  REPLY_OK, or a refusal that is written. */
MUST_CHECK enum reply rcptcheck_recipient(struct session *s, struct span recipient);
/* At RCPT, where it may not: the refusal. */
MUST_CHECK enum reply rcptcheck_no_relay(struct session *s, struct span recipient);

/* chkuser's idea of an address: something in front of the last @, which may be anything that RFC
 * 5321 allows there; a domain of four bytes or more in letters, digits, dots and dashes, with a
 * dot, none of them first, last or beside another dot; or an address in brackets. */
bool rcptcheck_is_address(struct span address);

#endif
