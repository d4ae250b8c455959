/* ready - qmail-remote between what is the same for all deliveries and one delivery. */
#ifndef REMOTE_READY_H
#define REMOTE_READY_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "net/dns.h"
#include "remote/reuse.h"
#include "remote/settings.h"
#include "remote/smtproute.h"

/* {0} is empty. */
struct ready {
	struct settings settings;
	struct dns *dns;
};

/* Reads control files and resolv.conf; cwd becomes the home directory.  NULL, or the report of
 * every delivery. */
const char *ready_read(struct ready *r);
void ready_free(struct ready *r);

/* Least power, before the first byte from the network; route: the only one there will be, or one
 * without login if there will be many.  -1: nothing may be delivered. */
MUST_CHECK int ready_enter(const struct ready *r, const struct smtproute *route);

/* Delivers the message on descriptor 0 to the recipients, from here on with least power, and writes
 * the report to descriptor 1.  *r is good for nothing else then. */
void ready_deliver(struct ready *r, const char *host, const char *sender,
    char *const *recipients, size_t n);
/* The same for one of many, in least power already; the report goes to *report. */
void ready_deliver_one(const struct ready *r, const char *host, const char *sender,
    char *const *recipients, size_t n, struct reuse *reuse, struct buf *report);

/* Writes a report that says it all, a C string. */
void ready_print(const char *report);

#endif
