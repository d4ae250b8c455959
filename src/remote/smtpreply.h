/* smtpreply - one reply of an SMTP server (RFC 5321, 4.2), however it arrives and whatever it
 * holds.  Example: `250-mx.example.org` CRLF `250 SIZE 1000` CRLF is code 250 with two lines. */
#ifndef REMOTE_SMTPREPLY_H
#define REMOTE_SMTPREPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define SMTPREPLY_MAX ((size_t)65536)	/* bytes of one reply */
#define SMTPREPLY_LINES_MAX 128
#define SMTPREPLY_SAID_MAX ((size_t)5000)	/* bytes of it that go into a report */

enum smtpreply_status {
	SMTPREPLY_MORE,		/* all of the input used */
	SMTPREPLY_DONE,
	SMTPREPLY_BAD		/* no reply code where one must be, or over a limit */
};

struct smtpreply {
	unsigned code;		/* 200..599, of the first line */
	unsigned lines;
	size_t total;		/* bytes seen */
	size_t column;		/* in the line, without CR */
	bool more;		/* this line has a `-` */
	struct buf text;	/* all lines with LF, without CR; bytes fit to be shown */
};

/* Ready for the next reply; keeps the memory.  {0} is ready as well. */
void smtpreply_reset(struct smtpreply *r);
void smtpreply_free(struct smtpreply *r);
/* Reads from *in, which is advanced behind what was used.  Each line starts with three digits, the
 * first 2 to 5; `-` after them means another line follows.  DONE stops right behind the last LF. */
MUST_CHECK enum smtpreply_status smtpreply_feed(struct smtpreply *r, struct span *in);
/* What a report shows of it. */
struct span smtpreply_said(const struct smtpreply *r);

/* The AUTH methods we know (RFC 4954). */
enum smtpreply_auth { SMTPREPLY_NO_AUTH, SMTPREPLY_CRAM_MD5, SMTPREPLY_PLAIN, SMTPREPLY_LOGIN };

/* What an EHLO reply offers (RFC 1869). */
struct smtpreply_offers {
	bool pipelining;	/* RFC 2920 */
	bool eight_bit;		/* RFC 6152 */
	bool size;		/* RFC 1870 */
	uint64_t size_limit;	/* 0: none told */
	bool starttls;		/* RFC 3207 */
	bool utf8;		/* RFC 6531 */
	enum smtpreply_auth auth;	/* the first of its own list that we know */
};
struct smtpreply_offers smtpreply_offers(const struct smtpreply *r);

#endif
