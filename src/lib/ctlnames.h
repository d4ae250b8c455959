/* ctlnames - which control files there are, found out by one look at the directory: for programs
 * that run once for each connection and have many files that most hosts lack. */
#ifndef LIB_CTLNAMES_H
#define LIB_CTLNAMES_H

#include <stdbool.h>
#include <stddef.h>

#define CTLNAMES_MAX ((size_t)8192)	/* bytes of all names; beyond it everything may be there */

/* {0}: everything may be there. */
struct ctlnames {
	bool known;
	size_t n;
	char text[CTLNAMES_MAX];	/* names, each between two NULs */
};

/* cwd = the home directory.  A directory that cannot be listed, or is too large, is no failure: who
 * opens the files will see. */
void ctlnames_read(struct ctlnames *names);
/* May there be a file control/NAME?  false: no.  names NULL: everything may be there. */
bool ctlnames_may_have(const struct ctlnames *names, const char *name);

#endif
