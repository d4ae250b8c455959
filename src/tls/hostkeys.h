/* hostkeys - the certificates of this host: control/servercert.pem, and for clients that ask for a
 * name (SNI, RFC 6066) control/servercerts/NAME/servercert.pem.  All are read at the start, as PEM
 * text, because there are no files any more when the client has said which one it wants; only those
 * that are used are parsed. */
#ifndef TLS_HOSTKEYS_H
#define TLS_HOSTKEYS_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "tls/tlspem.h"

#define HOSTKEYS_MAX 1000	/* names */
#define HOSTKEYS_NAME_MAX 253	/* bytes of one */

struct hostkey {
	char name[HOSTKEYS_NAME_MAX + 1];	/* lower case */
	struct buf text;
};

/* {0} is empty. */
struct hostkeys {
	struct buf main;
	struct hostkey *named;
	size_t n;
};

/* cwd = the home directory.  fd: control/servercert.pem, or what takes its place.  Files of
 * names that cannot be read are left out. */
MUST_CHECK enum tlspem_status hostkeys_read(struct hostkeys *k, int fd);
/* The one for this name as a client has sent it, or NULL. */
const struct hostkey *hostkeys_find(const struct hostkeys *k, struct span name);
/* Nothing of them stays in memory. */
void hostkeys_wipe(struct hostkeys *k);
/* Letters, digits, `-`, `.`; no dot in front; 1 to HOSTKEYS_NAME_MAX bytes.  out, which has room
 * for that and NUL, gets it in lower case.  -1: it is something else. */
MUST_CHECK int hostkeys_name(struct span name, char *out);

#endif
