/* addr5321 - addresses as they stand in SMTP commands (RFC 5321, 4.1.1.2-3; accepts more, see the
 * table in qmail-smtpd(8)), and the way back: quoting a raw address for a header or a command. */
#ifndef MAIL_ADDR5321_H
#define MAIL_ADDR5321_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define ADDR5321_MAX ((size_t)899)	/* bytes of an address without quoting */

enum addr_status {
	ADDR_OK,
	ADDR_SYNTAX,	/* neither the end nor a blank follows the path: `<a@b>c` */
	ADDR_TOOLONG,	/* over ADDR5321_MAX */
	ADDR_CONTROL,	/* holds a byte below 32 or 127 */
	ADDR_MEMORY	/* no memory: temporary */
};

/* The path of MAIL FROM and RCPT TO.  in: the bytes after the colon, no CRLF.  Replaces *addr by
 * the address without source route and quoting; *rest becomes what follows the path (parameters).
 * Example: `<@a,@b:"j d"@x.org> SIZE=9` gives addr `j d@x.org`, rest ` SIZE=9`.
 * With a `<` anywhere the path is what follows it, up to `>`; without one it ends at a space.
 * A missing `>` or closing quote is forgiven, and so is an empty path; the caller decides about
 * that one.  The first status that fits, in the order TOOLONG, CONTROL, SYNTAX.  *addr means
 * nothing unless ADDR_OK. */
MUST_CHECK enum addr_status addr5321_parse(struct span in, struct buf *addr, struct span *rest);

/* Appends the raw address as RFC 5321 and 5322 want it written: the part before the last @ is put
 * in quotes if it needs them (`j d@x.org` becomes `"j d"@x.org`); the domain is left alone; without
 * an @ the whole address is quoted by the same rule; the empty address stays empty. */
void addr5321_quote(struct buf *to, struct span address);
/* Does this local part need quotes? (empty; other bytes than atext and dots; dots misplaced) */
bool addr5321_needs_quotes(struct span local);
/* The part after the last @; the empty span if there is none. */
struct span addr5321_domain(struct span address);
/* The part before the last @; the whole address if there is none. */
struct span addr5321_local(struct span address);

#endif
