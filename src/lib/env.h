/* env - values for our own environment, for the programs that we run. */
#ifndef LIB_ENV_H
#define LIB_ENV_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"

/* setenv(3), what was there is replaced.  A number is decimal; a value ends at a NUL.  -1 with
 * errno. */
MUST_CHECK int env_set_number(const char *name, uint64_t value);
MUST_CHECK int env_set_span(const char *name, struct span value);

#endif
