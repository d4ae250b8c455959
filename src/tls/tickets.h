/* tickets - keys that encrypt session tickets (RFC 5077, RFC 8446 2.2), shared by all processes
 * that serve this host's connections, so that a client which comes again needs no full handshake.
 *
 * They are in the file TICKETS_FILE, in a directory of the account qmailt on a file system in
 * memory; where there is no such directory no tickets are given.  A key makes tickets for twelve
 * hours and opens them for as long again; whoever finds it too old writes the next.  So a key that
 * is stolen opens what was recorded within a day at most. */
#ifndef TLS_TICKETS_H
#define TLS_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "lib/attr.h"
#include "lib/span.h"

#define TICKETS_FILE "/run/qmail-tls/tickets"
#define TICKETS_LIFETIME_S 43200	/* of a key, as the one that makes new tickets */
#define TICKETS_SESSION_S 7200		/* of a ticket */
#define TICKETS_KNOWN 8			/* certificates that are remembered */

struct ticket_key {
	unsigned char name[16], cipher[32], mac[32];
	int64_t made;		/* time(2) */
};

struct tickets {
	struct ticket_key key[2];	/* the newer one first; made 0: none */
	uint64_t known[TICKETS_KNOWN];	/* SipHash by the newer key's name; 0: none */
};

/* Reads the keys from `path`, and makes a new one when it is time.  false: there are none, for
 * whatever reason. */
MUST_CHECK bool tickets_read(struct tickets *t, const char *path, int64_t now);
/* ctx gives and takes tickets with these keys, which must stay; t NULL: none.  Those of a service
 * with another main certificate or other ciphers are not taken: it may promise less. */
void tickets_use(SSL_CTX *ctx, struct tickets *t, struct span certificate);
void tickets_wipe(struct tickets *t);

/* A client that brings a ticket needs no certificate.  To parse it only when it is needed, and yet
 * to say at the start when it is of no use, it is remembered beside the keys as one that was.
 * text: its PEM; level: of security, by which the library accepts it or not. */
bool tickets_knows(const struct tickets *t, struct span text, int level);
/* From now on it is known to all processes.  t as tickets_read gave it.  Not if that cannot be
 * written. */
void tickets_remember(const struct tickets *t, const char *path, struct span text, int level);

#endif
