/* lock - locks on files that others may hold for longer than one can wait. */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

/* flock(2), shared or exclusive, until the deadline; then -1 with ETIMEDOUT.  Looks again now and
 * then, signals or not, and asks the kernel once if nobody holds it.  -1 with errno. */
MUST_CHECK int lock_until(int fd, bool shared, int64_t deadline);

#endif
