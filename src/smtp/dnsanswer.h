/* dnsanswer - the answers of qmail-dnsask (smtp/dnsask.h). */
#ifndef SMTP_DNSANSWER_H
#define SMTP_DNSANSWER_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/dns.h"

#define DNSANSWER_ADDRESSES_MAX ((size_t)32)	/* told; the rest is left out */

/* Appends the answer to a question, without NUL.  -1: it is no question. */
MUST_CHECK int dnsanswer_add(struct dns *d, struct span question, struct buf *answer);

#endif
