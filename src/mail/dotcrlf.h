/* dotcrlf - message text on the wire of SMTP and POP3 (CRLF line ends, dots doubled) and as it is
 * stored (LF line ends), both ways, in pieces of any size.
 *
 * Stored `a` LF `.` LF is `a` CRLF `..` CRLF on the wire, and then `.` CRLF ends the text
 * (RFC 5321, 4.5.2; RFC 1939, 3). */
#ifndef MAIL_DOTCRLF_H
#define MAIL_DOTCRLF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/io.h"
#include "lib/span.h"

/* ---- from the wire ---- */

enum dotcrlf_status {
	DOTCRLF_MORE,		/* all of the input used, the text goes on */
	DOTCRLF_END,		/* CRLF . CRLF seen */
	DOTCRLF_BARE_LF		/* an LF without CR before it; nothing sensible can follow */
};

/* {0} is the start of a text. */
struct dotcrlf_decoder {
	enum {
		DOTCRLF_AT_LINE,	/* at the start of a line */
		DOTCRLF_IN_LINE,
		DOTCRLF_AFTER_CR,	/* CR held back */
		DOTCRLF_AFTER_DOT,	/* dot at the start of a line, held back */
		DOTCRLF_AFTER_DOT_CR	/* the same and a CR, both held back */
	} state;
};

/* How many bytes dotcrlf_decode can write beyond the length of its input. */
#define DOTCRLF_DECODE_EXTRA 2

/* Decodes from *in, which is advanced over what was used, to out, which has room for in->n +
 * DOTCRLF_DECODE_EXTRA bytes; *n says how many were written.
 * Only CRLF ends a line and only CRLF . CRLF (or . CRLF at the very start) the text.  A CR that is
 * not followed by LF is data.  The first dot of a line goes, except in `.` CR x, where x is not
 * LF.  Other bytes, NUL included, are data. */
MUST_CHECK enum dotcrlf_status dotcrlf_decode(struct dotcrlf_decoder *d, struct span *in, char *out,
    size_t *n);

/* ---- to the wire ---- */

/* {0} is the start of a text for SMTP. */
struct dotcrlf_encoder {
	bool keep_cr;		/* POP3: a CR inside a line goes out as it is */
	bool in_line;		/* output is not at the start of a line */
	bool after_cr;		/* CR held back */
	uint64_t octets;	/* sent so far without doubled dots: what SIZE and LIST count */
};

/* Encodes p[0..n) to *out (NULL: only counts).  CR and LF leave as CRLF pairs only: a CR before LF
 * or at the end of the text is dropped, any other becomes a space (or stays, with keep_cr).  Dots
 * are doubled by what was sent, not by what was stored, so nothing stored can end the text early.
 * Errors stick in *out. */
void dotcrlf_encode(struct dotcrlf_encoder *e, struct io_out *out, const char *p, size_t n);
/* Call once after the last piece: completes an unfinished last line.  The final `.` CRLF is the
 * caller's. */
void dotcrlf_encode_end(struct dotcrlf_encoder *e, struct io_out *out);

#endif
