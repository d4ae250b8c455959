/* peers - the descriptors 0, 1, 2... that qmail-start gave us, moved out of the way: then no file
 * we open gets such a number, and no program we start inherits one. */
#ifndef SEND_PEERS_H
#define SEND_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

/* peers[i] = a close-on-exec copy of descriptor i, -1 if that was closed; 0 to n - 1 are closed
 * then, and 0 to 2 are open on /dev/null.  -1 with errno. */
MUST_CHECK int peers_take(int *peers, size_t n);
/* Is it one end of a pipe? */
bool peers_is_pipe(int fd);
/* As many descriptors as we may have. */
void peers_raise_limit(void);

#endif
