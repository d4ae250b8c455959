/* tlspem - PEM text (RFC 7468) with private keys, certificates and their chains, for one side of a
 * connection.  Keys and certificates may come in any order and be of several kinds (RSA, EC,
 * Ed25519) in one text; each key is used with the first certificate that is its own; the others
 * make the chains.  Keys must not be encrypted. */
#ifndef TLS_TLSPEM_H
#define TLS_TLSPEM_H

#include <openssl/ssl.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define TLSPEM_MAX ((size_t)1 << 20)	/* bytes of one text */
#define TLSPEM_KEYS_MAX 8

enum tlspem_status {
	TLSPEM_OK,
	TLSPEM_NO_FILE,		/* errno tells */
	TLSPEM_NO_KEY,		/* none, or one that cannot be read */
	TLSPEM_NO_CERT,		/* none, or none that belongs to a key */
	TLSPEM_REFUSED		/* too weak for the library's level of security, or no memory */
};

/* For people, `no private key that can be read`. */
const char *tlspem_words(enum tlspem_status status);

/* The whole file, at most TLSPEM_MAX bytes, from its start and without moving a shared offset (the
 * descriptor may be one of many that a listening server has handed on). */
MUST_CHECK enum tlspem_status tlspem_read(int fd, struct buf *text);
/* Gives ssl every key and certificate of the text. */
MUST_CHECK enum tlspem_status tlspem_use(SSL *ssl, struct span text);

#endif
