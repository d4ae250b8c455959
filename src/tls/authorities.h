/* authorities - whose certificates are believed, from PEM text, for client and server alike. */
#ifndef TLS_AUTHORITIES_H
#define TLS_AUTHORITIES_H

#include <openssl/ssl.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define AUTHORITIES_MAX ((size_t)4 << 20)	/* bytes of such a text */

/* Adds certificates and revocation lists of the text.  If there are lists, every certificate of a
 * chain needs one.  -1: *reason tells; also if there is no certificate. */
MUST_CHECK int authorities_add(SSL_CTX *ctx, struct span text, struct buf *reason);
/* A text with revocation lists alone; at least one. */
MUST_CHECK int authorities_add_lists(SSL_CTX *ctx, struct span text, struct buf *reason);
/* Clients are told their names, so that they know which certificate to show.  -1: no memory. */
MUST_CHECK int authorities_announce(SSL_CTX *ctx, struct span text);
/* For SSL_CTX_set_verify: whatever the chain is worth, the handshake goes on; the result is looked
 * at afterwards. */
int authorities_accept(int fine, X509_STORE_CTX *ctx);

#endif
