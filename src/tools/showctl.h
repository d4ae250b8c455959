/* showctl - the text of qmail-showctl, byte by byte an interface (scripts read it). */
#ifndef TOOLS_SHOWCTL_H
#define TOOLS_SHOWCTL_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/io.h"
#include "lib/span.h"

/* What was decided when the suite was built, and the ids of the accounts (`unknown` where there is
 * no such account). */
void showctl_build(struct io_out *out);
/* Every control file in the order of the manual.  me: contents of control/me, p NULL if absent.
 * cwd = the home directory. */
void showctl_files(struct io_out *out, struct span me);
/* Every other file in control/, sorted by name: the suite's own additions, and what is unknown.
 * -1: the directory cannot be read. */
MUST_CHECK int showctl_others(struct io_out *out);

#endif
