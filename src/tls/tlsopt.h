/* tlsopt - what client and server have in common: protocol versions, lists of ciphers. */
#ifndef TLS_TLSOPT_H
#define TLS_TLSOPT_H

#include <openssl/ssl.h>

#include "lib/attr.h"
#include "lib/span.h"

#define TLSOPT_CIPHERS_MAX ((size_t)4096)	/* bytes of a list of ciphers */

/* A context without the system's configuration file, compression, renegotiation and RSA key
 * exchange, for TLS 1.2 and later.  NULL: no memory. */
MUST_CHECK SSL_CTX *tlsopt_new(const SSL_METHOD *method);

/* `1.0` to `1.3`.  -1: something else. */
MUST_CHECK int tlsopt_min(SSL_CTX *ctx, struct span version);

/* One list for all versions: names that begin with TLS_ and that the library knows are for TLS 1.3,
 * the others are OpenSSL's rules for what is older; unknown ones are left out.  Names are separated
 * by `:`, `,` or spaces.  -1: nothing in it is of any use, or it is too long. */
MUST_CHECK int tlsopt_ciphers(SSL_CTX *ctx, struct span list);

#endif
