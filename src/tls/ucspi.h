/* ucspi - the server's side of the UCSPI-TLS interface: encryption of a connection that has begun
 * in the clear (STARTTLS, STLS), done by another process.  No OpenSSL in here.
 *
 * The other process is one that the environment offers (SSLCTLFD, SSLREADFD, SSLWRITEFD, as
 * `sslserver -n` sets them), else qmail-tls(8), which is started here if control/servercert.pem
 * exists.  A session goes
 *
 *	ucspi_keep		at the start
 *	ucspi_possible		shall the client be told?
 *	ucspi_open		a TLS process stands by; else the client is told to go on without
 *	... `220`, in the clear, flushed ...
 *	ucspi_begin		handshake; descriptors 0 and 1 are the plaintext from now on
 *
 * Whatever the client has sent in the clear before the handshake must be thrown away, and so must
 * be everything that was known about it. */
#ifndef TLS_UCSPI_H
#define TLS_UCSPI_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define UCSPI_READY_MS (INT64_C(20) * 1000)	/* for qmail-tls to read its keys */
#define UCSPI_BEGIN_MS (INT64_C(40) * 1000)	/* for the handshake; qmail-tls gives up before */
#define UCSPI_DETAILS_MAX ((size_t)8192)	/* bytes */

/* What the relay of qmail-tls has open: qmail-tls -u. */
#define UCSPI_CONTROL 3			/* a socket */
#define UCSPI_PLAIN_OUT 4		/* to the program */
#define UCSPI_PLAIN_IN 5		/* from it */

struct ucspi {
	int control, read, write;	/* -1: closed */
};
#define UCSPI_EMPTY { -1, -1, -1 }

/* Does the environment say that 0 and 1 are inside TLS already?  SSL_PROTOCOL not empty (and no
 * SSLCTLFD), SSL of at least 1, or the local port 465 or 995. */
bool ucspi_inside(void);
/* Is there anything that could do it? */
bool ucspi_possible(void);
/* To be called at the start: descriptors that the environment offers are made close-on-exec, so
 * that no program started before the handshake can speak for us to the TLS process. */
void ucspi_keep(void);
/* Pipes between a program and a relay: *u is the program's side, theirs the relay's, all
 * close-on-exec.  -1 with errno. */
MUST_CHECK int ucspi_pair(struct ucspi *u, struct ucspi *theirs);
void ucspi_close(struct ucspi *u);

/* u must be UCSPI_EMPTY.  -1: no TLS to be had now. */
MUST_CHECK int ucspi_open(struct ucspi *u);
/* -1: no TLS; nothing can be said to the client any more, and *u is closed.  On success *details
 * has lines NAME=value, each with NUL, and names that begin with SSL; at most UCSPI_DETAILS_MAX. */
MUST_CHECK int ucspi_begin(struct ucspi *u, struct buf *details);
/* The second half of ucspi_begin: reads the details and moves the descriptors to 0 and 1. */
MUST_CHECK int ucspi_finish(struct ucspi *u, struct buf *details);

/* The value of a detail; p NULL: there is none. */
struct span ucspi_detail(const struct buf *details, const char *name);
/* All of them into the environment.  -1: no memory. */
MUST_CHECK int ucspi_export(const struct buf *details);
/* What has come from the control descriptor (ends with two NULs), made fit: names that do not begin
 * with SSL are left out, control bytes of values become `?`. */
void ucspi_clean(struct span raw, struct buf *details);

#endif
