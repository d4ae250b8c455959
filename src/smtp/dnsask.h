/* dnsask - what qmail-smtpd wants to know from the name system.  The answers of strangers' servers
 * are read by a program of its own, qmail-dnsask(8); here they arrive as short text.
 *
 * Question: `KIND SPACE NAME`, answer: a letter of enum dnsask_status and text (lib/asker.h):
 *	M example.org			-> Y		an address with that domain can be answered
 *	A 2.0.0.127.bl.example		-> Y127.0.0.2 127.0.0.4
 *	T 2.0.0.127.bl.example		-> Ysee http://bl.example/
 *	A nonesuch.example		-> N */
#ifndef SMTP_DNSASK_H
#define SMTP_DNSASK_H

#include <stdint.h>

#include "lib/asker.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define DNSASK_QUESTION_MS (INT64_C(20) * 1000)	/* what qmail-dnsask gives one question */
#define DNSASK_ANSWER_MS (INT64_C(45) * 1000)	/* what qmail-smtpd gives it: M is up to two */
#define DNSASK_ANSWER_MAX ((size_t)1024)	/* bytes of an answer */
#define DNSASK_TEXT_MAX ((size_t)500)	/* of its text; more is cut off */

enum dnsask_kind {
	DNSASK_MAIL = 'M',	/* MX or address records, and not the null MX of RFC 7505 */
	DNSASK_A = 'A',		/* IPv4 addresses, spaces between them */
	DNSASK_NAME = 'P',	/* the name of an address, which is what is asked for */
	DNSASK_TXT = 'T'	/* the first record, printable bytes and spaces only */
};

enum dnsask_status {
	DNSASK_YES = 'Y',
	DNSASK_NO = 'N',	/* no such name or no such record */
	DNSASK_TROUBLE = 'T'	/* nobody knows just now */
};

/* *text becomes the text of the answer; it may be NULL. */
MUST_CHECK enum dnsask_status dnsask_ask(struct asker *a, enum dnsask_kind kind,
    struct span name, struct buf *text);
MUST_CHECK enum dnsask_status dnsask_takes_mail(struct asker *a, struct span domain);

#endif
