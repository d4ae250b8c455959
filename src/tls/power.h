/* power - what qmail-tls may do by being set-uid, and how it gets rid of it.
 *
 * In the order of a run: power_may_... asks whether the caller is somebody we serve; files that
 * belong to our account are opened; power_keep makes us that account alone (nobody else can trace
 * or signal us), or power_drop makes us the caller again for good; power_sandbox takes everything
 * but our descriptors.  Not set-uid (the caller switched that off): nothing is gained and nothing
 * to be lost; the same calls work.  Root is not stayed in any case: power_keep makes qmailt of it,
 * whatever the bits of the file are. */
#ifndef TLS_POWER_H
#define TLS_POWER_H

#include <stdbool.h>

#include "lib/attr.h"

/* Does the caller (real uid) run connections to other hosts? root, qmailr, and whoever gains
 * nothing. */
MUST_CHECK bool power_may_connect(void);
/* Does the caller serve with the host's own key? root, qmaild, accounts in control/tlsusers
 * (`vpopmail` without that file).  cwd = the home directory. */
MUST_CHECK bool power_may_serve(void);

/* open(2) for reading with the rights of the caller; close-on-exec.  -1 with errno. */
MUST_CHECK int power_open_for_caller(const char *path);

/* -1: the process must end. */
MUST_CHECK int power_keep(void);
MUST_CHECK int power_drop(void);
MUST_CHECK int power_sandbox(void);

#endif
