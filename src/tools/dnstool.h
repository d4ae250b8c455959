/* dnstool - what the little programs around `config` share: their words for DNS results. */
#ifndef TOOLS_DNSTOOL_H
#define TOOLS_DNSTOOL_H

#include "lib/span.h"
#include "net/dns.h"

/* Says `hard error`, `soft error`, `no IP addresses` or `out of memory` on descriptor 2 and
 * returns the exit code: 100 for what trying again cannot change, else 111.  Call it for anything
 * but DNS_OK. */
int dnstool_complain(enum dns_status status);
/* One line on descriptor 1. 0, or 111. */
int dnstool_print(struct span line);
/* `usage: NAME WHAT` on descriptor 2; returns 100. */
int dnstool_usage(const char *name, const char *what);

#endif
