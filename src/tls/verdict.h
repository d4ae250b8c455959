/* verdict - what `qmail-tls -c` has found out about the server at the other end of a connection:
 * lines `name=value` LF, ended by an empty line, written once, before the first byte of plaintext
 * moves.  Example:
 *
 *	result=ok
 *	protocol=TLSv1.3
 *	cipher=TLS_AES_256_GCM_SHA384
 *	bits=256
 *	verified=yes
 *	cn=mx.example.org
 *	certsha256=0f...		(64 hexadecimal digits: the server's certificate, DER)
 *	keysha256=9a...			(its public key, SubjectPublicKeyInfo, DER)
 *	chain=3				(certificates that the server has sent)
 *
 * How another program uses it:
 *
 *	qmail-tls -c -h NAME [-a CAFILE] [-C CIPHERS] [-k CLIENTCERT]
 *
 *	fd 0	plaintext to be sent (read end of a pipe or socket); closed by the program = it has
 *		said everything: close_notify, then what the server still says is passed on
 *	fd 1	plaintext received (write end); end of file = the server is gone
 *	fd 2	unused but for being called wrongly
 *	fd 3	the verdict (write end); closed after the empty line
 *	fd 6	the connected socket; nobody else may use it from now on
 *
 *	-h NAME	host name for SNI and, with -a, for the comparison of names (no SNI for an address)
 *	-a FILE	certificates of authorities, PEM: the server must be verified against these;
 *		without it nobody is verified
 *	-C LIST	ciphers as in control/tlsclientciphers, lines joined by `:` (`DEFAULT`)
 *	-k FILE	key, certificate and chain to be presented if the server asks
 *
 * Anything but result=ok ends the connection.  Without a verdict (end of file) qmail-tls could not
 * work at all, which is the same as result=local.  The limit of time for the handshake (26 s) is
 * kept by qmail-tls. */
#ifndef TLS_VERDICT_H
#define TLS_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"

#define VERDICT_MAX ((size_t)8192)	/* bytes of all lines */
#define VERDICT_VALUE_MAX ((size_t)1024)/* of a value; the writer cuts, the reader refuses */
#define VERDICT_FD 3
#define VERDICT_SOCKET_FD 6

enum verdict_result {
	VERDICT_OK,		/* encrypted; plaintext may flow */
	VERDICT_TLS,		/* the handshake failed, or took too long; *reason* says it */
	VERDICT_CAFILE,		/* the file of -a is of no use; *reason* */
	VERDICT_CHAIN,		/* no chain to an authority of -a; *reason* */
	VERDICT_NAME,		/* somebody else's certificate.  cn empty: it has names (dNSName),
				 * but none that matches; else it has none, and cn is not the one */
	VERDICT_NOCERT,		/* the server has shown none */
	VERDICT_NOCN,		/* neither names nor a common name that is one */
	VERDICT_LOCAL,		/* trouble here, of which the server knows nothing; *reason* */
	VERDICT_RESULTS
};

/* {0} is empty.  Values hold visible ASCII and spaces only. */
struct verdict {
	enum verdict_result result;
	bool verified;			/* against the authorities of -a, name and all */
	struct buf reason;		/* for people */
	struct buf protocol;		/* `TLSv1.2`, `TLSv1.3` */
	struct buf cipher;		/* OpenSSL's name */
	struct buf cn;			/* common name of the server's certificate */
	struct buf cert_sha256, key_sha256;
	uint64_t bits;			/* strength of the cipher */
	uint64_t chain;
};

void verdict_free(struct verdict *v);

/* The whole text; other bytes than visible ASCII become `?`.  -1: no memory. */
MUST_CHECK int verdict_format(const struct verdict *v, struct buf *text);

enum verdict_status {
	VERDICT_READ,
	VERDICT_NONE,		/* end of file first, timeout, read error */
	VERDICT_BAD		/* not of this form, or too long */
};
/* Reads one from fd; v must be {0}.  Names it does not know are skipped. */
MUST_CHECK enum verdict_status verdict_read(int fd, int64_t deadline, struct verdict *v);
/* The same from memory: text must end with the empty line. */
MUST_CHECK enum verdict_status verdict_parse(struct span text, struct verdict *v);

#endif
