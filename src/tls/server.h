/* server - one handshake with a client, by the host's certificates and control files, and what
 * came of it. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "tls/hostkeys.h"
#include "tls/pump.h"
#include "tls/tickets.h"

#define SERVER_EMAILS_MAX 8	/* of a client's certificate */

struct server {
	struct hostkeys keys;
	struct tickets tickets;
	bool thorough;			/* the certificate is parsed even if it was of use before */
	const struct hostkey *chosen;	/* by name */
	const struct buf *given;	/* what the library has now */
	char name[HOSTKEYS_NAME_MAX + 1];	/* of the certificate, if asked for by name */
	bool asks;			/* for the certificate of the client */
	SSL_CTX *ctx;
	SSL *ssl;
};

/* Reads everything it needs: the certificate from cert_fd (`name` for people), servercerts/,
 * tlsserverciphers, tlsservermin, clientca.pem and clientcrl.pem if there is tlsclients, the keys
 * of session tickets.  cwd = the home directory; s must be {0} but for `thorough`, and stays where
 * it is.  ciphers: instead of tlsserverciphers, or NULL.  Not TLSPEM_OK: *reason tells. */
MUST_CHECK enum tlspem_status server_prepare(struct server *s, int cert_fd, const char *name,
    const char *ciphers, struct buf *reason);
/* The handshake.  Afterwards no key is left in memory.  -1: *reason tells. */
MUST_CHECK int server_meet(struct server *s, struct pump *pump, struct buf *reason);
/* Appends what is known now as the details of the UCSPI-TLS interface, `NAME=value` NUL, and one
 * more NUL at the end:
 * SSL_PROTOCOL, SSL_CIPHER, SSL_CIPHER_USEKEYSIZE; SSL_TLS_SNI if a certificate was chosen by it;
 * and, if the client has shown a certificate, SSL_CLIENT_VERIFY (SUCCESS or FAILED:why),
 * SSL_CLIENT_S_DN, and, if it was verified, SSL_CLIENT_EMAIL_0 and so on. */
void server_details(const struct server *s, struct buf *details);
void server_free(struct server *s);

#endif
