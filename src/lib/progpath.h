/* progpath - which file a program is. */
#ifndef LIB_PROGPATH_H
#define LIB_PROGPATH_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"

/* *path: the file that a search in PATH for that name, which has no slash, would run now; where
 * PATH has an empty part, that is `./NAME`.  false: none, no PATH or no memory. */
MUST_CHECK bool progpath_find(const char *name, struct buf *path);

#endif
