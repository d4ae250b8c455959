/* ready - qmail-remote between what is the same for all deliveries and one delivery. */
#ifndef REMOTE_READY_H
#define REMOTE_READY_H

#include <stddef.h>

#include "net/dns.h"
#include "remote/settings.h"

/* {0} is empty. */
struct ready {
	struct settings settings;
	struct dns *dns;
};

/* Reads control files and resolv.conf; cwd becomes the home directory.  NULL, or the report of
 * every delivery. */
const char *ready_read(struct ready *r);
void ready_free(struct ready *r);

/* Delivers the message on descriptor 0 to the recipients, from here on with least power, and writes
 * the report to descriptor 1.  *r is good for nothing else then. */
void ready_deliver(struct ready *r, const char *host, const char *sender,
    char *const *recipients, size_t n);

/* Writes a report that says it all, a C string. */
void ready_print(const char *report);

#endif
