/* listcdb - a list of the control directory compiled into a database: control/NAME, lines, becomes
 * control/NAME.cdb, each entry in lower case as a key without data.  Two at once wait for each
 * other, at control/NAME.tmp. */
#ifndef TOOLS_LISTCDB_H
#define TOOLS_LISTCDB_H

#include "lib/attr.h"
#include "lib/span.h"

#define LISTCDB_WARNINGS_MAX 20		/* lines that are told to match nothing */

/* All of a program of that name.  flaw: why nothing is ever looked up that is equal to the entry,
 * which is not empty, or NULL; such entries are compiled as they are, because 1.03 does.  Returns
 * the exit code. */
MUST_CHECK int listcdb_main(const char *program, const char *name,
    const char *(*flaw)(struct span entry));
/* What is wrong with any name or address. */
const char *listcdb_flaw(struct span entry);

#endif
