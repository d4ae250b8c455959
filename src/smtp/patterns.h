/* patterns - lists of addresses and names that are refused: badmailfrom, badhelo and their kin.
 *
 *	PATTERNS_PLAIN		u@x.org, @x.org: the address, or its domain; case does not matter
 *	PATTERNS_MIXED		a line that looks like one of these is; any other is an expression
 *	PATTERNS_EXPRESSION	POSIX extended regular expressions, not anchored, case does not
 *				matter; `!` in front: hits what the expression does not
 *	PATTERNS_WILDMAT	smtp/wildmat.h, in lower case; the last that matches decides, `!` in
 *				front: no hit
 *
 * Cost is bounded: a line has at most PATTERNS_LINE_MAX bytes, PATTERNS_REPEATED_MAX if counted as
 * often as all its repetitions `{n,m}` together say, and no back-references; only
 * PATTERNS_SUBJECT_MAX bytes are looked at.  Then both C libraries that we build with need time in
 * proportion to both lengths. */
#ifndef SMTP_PATTERNS_H
#define SMTP_PATTERNS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/ctlnames.h"
#include "lib/set.h"
#include "lib/span.h"

#define PATTERNS_LINE_MAX ((size_t)1024)
#define PATTERNS_REPEATED_MAX ((size_t)4096)
#define PATTERNS_SUBJECT_MAX ((size_t)1000)
#define PATTERNS_MAX ((size_t)10000)	/* expressions or wildmat lines of one list */

enum patterns_syntax { PATTERNS_PLAIN, PATTERNS_MIXED, PATTERNS_EXPRESSION, PATTERNS_WILDMAT };

struct pattern {
	size_t at, n;		/* in text, with its `!` */
	bool negated;
	bool compiled;
	regex_t regex;
};

/* {0} is an empty list. */
struct patterns {
	enum patterns_syntax syntax;
	struct set plain;
	struct buf text;
	struct pattern *list;
	size_t n, size;
};

enum patterns_status { PATTERNS_NO, PATTERNS_HIT, PATTERNS_MEMORY };

/* Adds the lines of control/FILE, if it exists.  Lines that cannot be used are left out; each gets
 * a line `control/badhelo line 3: (: Unmatched ( or \(` in *complaints.  -1 with errno: the file
 * cannot be read, or holds too many lines, or memory.  All files of a list: the same syntax. */
MUST_CHECK int patterns_read(struct patterns *p, const struct ctlnames *names, const char *file,
    enum patterns_syntax syntax, struct buf *complaints);
/* After the last file.  false: out of memory. */
MUST_CHECK bool patterns_finish(struct patterns *p);
void patterns_free(struct patterns *p);

/* `control/FILE line 3: LINE: WHY` as one line of *to. */
void patterns_complain(struct buf *to, const char *file, size_t number, struct span line,
    const char *why);

/* *line becomes the line that decided, borrowed; *plain whether it is an address. */
MUST_CHECK enum patterns_status patterns_find(const struct patterns *p, struct span subject,
    struct span *line, bool *plain);

#endif
