/* tlsclient - qmail-remote's side: one handshake with a server, and what came of it. */
#ifndef TLS_TLSCLIENT_H
#define TLS_TLSCLIENT_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "tls/pump.h"
#include "tls/verdict.h"

struct tlsclient {
	const char *host;	/* for SNI and the comparison of names */
	const char *ciphers;	/* NULL: DEFAULT */
	bool verify;		/* against `authorities` */
	struct buf authorities;	/* PEM text: certificates, and CRLs, which then count */
	struct buf key;		/* PEM text of key, certificate, chain; empty: none */
	SSL_CTX *ctx;
	SSL *ssl;
};

/* Reads the authorities and makes c->ssl from it all, before the first byte from the network.
 * VERDICT_OK, or VERDICT_CAFILE or VERDICT_LOCAL (anything else on our side) with *reason. */
MUST_CHECK enum verdict_result tlsclient_prepare(struct tlsclient *c, struct buf *reason);
/* Handshake on the pump of c->ssl and everything that is to be known about the server; v must be
 * {0}. */
void tlsclient_meet(const struct tlsclient *c, struct pump *pump, struct verdict *v);
void tlsclient_free(struct tlsclient *c);

#endif
