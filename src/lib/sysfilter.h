/* sysfilter - the system calls that a process may still make (seccomp(2)). */
#ifndef LIB_SYSFILTER_H
#define LIB_SYSFILTER_H

#include "lib/attr.h"

/* From now on only what a process needs that moves bytes between descriptors it has: reading and
 * writing them, waiting, memory without new code, time, random bytes, its end.  Everything else
 * fails with EPERM.  Needs sys_no_new_privs before.  0 also where the kernel or the architecture is
 * not known. */
MUST_CHECK int sysfilter_only_move_bytes(void);

#endif
