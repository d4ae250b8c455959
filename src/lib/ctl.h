/* ctl - control files, in the three forms of qmail-control(5).
 * Paths are relative to the home directory, so chdir there first.  Files that are absent are one
 * thing, files that cannot be read another: a program refuses to work on CTL_ERROR. */
#ifndef LIB_CTL_H
#define LIB_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/set.h"
#include "lib/span.h"

#define CTL_FILE_MAX ((size_t)64 << 20)	/* bytes of one control file */
#define CTL_LINE_MAX ((size_t)1 << 20)		/* of one line or entry */

enum ctl_status { CTL_ABSENT, CTL_FOUND, CTL_ERROR };

/* `name` is the file below control/, e.g. "me".  All return CTL_ERROR with errno for anything but
 * "does not exist" (a symbolic link that leads nowhere exists); EFBIG over a limit.  A buffer or
 * set without a cap of its own gets CTL_FILE_MAX. */

/* Line form: the first line without spaces, tabs, CR and LF at its end, replaces *line.  CTL_FOUND
 * with an empty line when the file is empty. */
MUST_CHECK enum ctl_status ctl_line(const char *name, struct buf *line);
/* ctl_line with defaults: the file, else control/me, else `literal` (may be NULL: stays
 * CTL_ABSENT). */
MUST_CHECK enum ctl_status ctl_line_me(const char *name, const char *literal, struct buf *line);
/* Number form: leading decimal digits of the first line.  Without a digit: CTL_ABSENT.  Above max:
 * max.  *value is changed for CTL_FOUND only, so put the default there before. */
MUST_CHECK enum ctl_status ctl_number(const char *name, uint64_t max, uint64_t *value);
/* List form: *text becomes the entries, each followed by NUL.  Blank lines and lines starting
 * with # are gone. */
MUST_CHECK enum ctl_status ctl_list(const char *name, struct buf *text);
/* The next entry of such a text; start with *pos = 0.  false at the end. */
bool ctl_next(const struct buf *text, size_t *pos, struct span *entry);
/* For complaints that name the line: *text becomes the whole file, ctl_next_line gives the entries
 * of its list form with their line numbers; start with *pos = *number = 0. */
MUST_CHECK enum ctl_status ctl_text(const char *name, struct buf *text);
bool ctl_next_line(const struct buf *text, size_t *pos, size_t *number, struct span *entry);
/* List form as a set of keys without values; s must be empty. */
MUST_CHECK enum ctl_status ctl_set(const char *name, struct set *s);
/* List form with lines key:value; lines without a colon are ignored. */
/* If s->text is secret, nothing of the file stays in memory but the set. */
MUST_CHECK enum ctl_status ctl_map(const char *name, struct set *s);

/* The names of all files, as keys without values; for programs that know many files of which few
 * are there. */
MUST_CHECK enum ctl_status ctl_names(struct set *names);

/* ---- the same forms elsewhere: path relative to the current directory ---- */

/* *text becomes the whole file, byte by byte. */
MUST_CHECK enum ctl_status ctl_path_text(const char *path, struct buf *text);
MUST_CHECK enum ctl_status ctl_path_list(const char *path, struct buf *text);
MUST_CHECK enum ctl_status ctl_path_set(const char *path, struct set *s);
MUST_CHECK enum ctl_status ctl_path_map(const char *path, struct set *s);

#endif
