/* dotqmail - delivery instructions (dot-qmail(5)): which file they are in, what its lines say. */
#ifndef MAIL_DOTQMAIL_H
#define MAIL_DOTQMAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define DOTQMAIL_MAX ((size_t)64 << 20)	/* bytes of one file */

/* ---- the file ---- */

struct dotqmail {
	struct buf name;	/* of the file chosen, or the one in trouble; "" if none */
	struct buf text;	/* its contents, at most DOTQMAIL_MAX bytes */
	bool forward_only;	/* its owner may execute it: no files, no programs */
	bool has_rest;		/* a `default` file was chosen, or one asked for by that name */
	size_t rest;		/* then: where in ext the part begins that `default` stands for */
};
#define DOTQMAIL_EMPTY { .text = BUF_CAP(DOTQMAIL_MAX) }

enum dotqmail_status {
	DOTQMAIL_FOUND,
	DOTQMAIL_ABSENT,	/* no such file: no such mailbox, unless dash is empty */
	DOTQMAIL_WRITABLE,	/* by others */
	DOTQMAIL_OPEN,		/* cannot be opened just now; errno */
	DOTQMAIL_READ,		/* cannot be read, or is over DOTQMAIL_MAX (EFBIG); errno */
	DOTQMAIL_MEMORY
};

/* The files in the current directory for this dash and ext, most specific first; ext folded and
 * its dots written as colons.  `-`, `a-B.c`: `.qmail-a-b:c`, `.qmail-a-default`,
 * `.qmail-default`. */
MUST_CHECK enum dotqmail_status dotqmail_find(struct dotqmail *d, struct span dash,
    struct span ext);
void dotqmail_free(struct dotqmail *d);

/* Is there a file for this dash and ext with something behind (`-owner`)?  FOUND, ABSENT, OPEN
 * (*name and errno tell) or MEMORY.  Its type and contents do not matter. */
MUST_CHECK enum dotqmail_status dotqmail_exists(struct buf *name, struct span dash,
    struct span ext, const char *behind);

/* ---- the lines ---- */

enum dot_kind {
	DOT_NOTHING,		/* comment, empty line, unknown + word */
	DOT_BLANK,		/* an empty first line: somebody forgot something */
	DOT_LIST,		/* `+list`: from here on forwarding only */
	DOT_MAILDIR,
	DOT_MBOX,
	DOT_PROGRAM,		/* text for the shell */
	DOT_FORWARD		/* address */
};

struct dot_line {
	enum dot_kind kind;
	struct span text;	/* without | or & in front and blanks behind; borrowed; no NUL */
};

/* The next line of text; start with *pos = 0.  false at the end. */
bool dotqmail_next(struct span text, size_t *pos, struct dot_line *line);

/* Looks through all lines before the first of them is obeyed. */
enum dotqmail_check {
	DOTQMAIL_FINE,
	DOTQMAIL_BLANK,		/* the first line is empty, or there is none: mail would vanish */
	DOTQMAIL_NO_FILES,	/* a mailbox although forward_only */
	DOTQMAIL_NO_PROGRAMS	/* a program although forward_only */
};
enum dotqmail_check dotqmail_check(struct span text, bool forward_only);

#endif
