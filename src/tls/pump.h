/* pump - one TLS connection: the handshake within a limit of time, then bytes both ways between
 * the network and two plain descriptors, until both sides have ended.  Knows no privileges, no
 * files, no certificates. */
#ifndef TLS_PUMP_H
#define TLS_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "lib/attr.h"
#include "lib/buf.h"

#define PUMP_HANDSHAKE_MAX_MS (INT64_C(26) * 1000)	/* all of it */
#define PUMP_IDLE_MAX_MS (INT64_C(3600) * 1000)	/* no byte either way */
#define PUMP_LAST_MS (INT64_C(26) * 1000)	/* for what a program that is gone has said */
#define PUMP_LINGER_MS (INT64_C(2) * 1000)	/* for the peer to close once we have */
#define PUMP_ROOM ((size_t)16384)	/* in flight here, each way: one TLS record */
#define PUMP_WIRE_MAX ((size_t)65536)	/* of ours, encrypted, untaken: no more is read that may be
					 * answered; PUMP_ROOM may have been read before */

/* Bytes on their way.  at..end are there. */
struct pump_half {
	size_t at, end;
	char room[PUMP_ROOM];
};

struct pump {
	SSL *ssl;
	BIO *intake, *wire;		/* encrypted: what came, what is to be sent; ssl's */
	int net_in, net_out;		/* one socket, or two pipes */
	int plain_in, plain_out;	/* owned; -1 = ended */
	struct pump_half in, out;	/* network to plain_out, plain_in to network */
	bool net_ended;			/* nothing more comes from there */
	bool said_all;			/* close_notify is the last on the wire */
	bool dead;			/* nothing can be sent either */
	bool writer_gone;		/* plain_in holds all that will ever come */
	bool may_read, may_write, may_take, may_give;	/* worth a system call */
	bool may_decrypt;		/* the library may have something without one */
};

/* Prepares ssl for the network (made non-blocking): the same descriptor twice, or two of one socket
 * or of two pipes.  -1 with errno. */
MUST_CHECK int pump_init(struct pump *p, SSL *ssl, int net_in, int net_out);

/* Client or server, as ssl was set.  0; or -1 and *reason has some words, whatever happened. */
MUST_CHECK int pump_handshake(struct pump *p, int64_t deadline, struct buf *reason);

/* Moves bytes until both sides have ended, something breaks or idle_ms have passed without any.
 * Takes plain_in and plain_out over and closes them.  End of file of plain_in becomes close_notify
 * and a half-closed socket; end of the network becomes end of file of plain_out once everything
 * was written there; whoever is left may go on.  Once nobody is left but the peer, it has
 * PUMP_LAST_MS to read what is still for it: no server counts this process among its own. */
void pump_run(struct pump *p, int plain_in, int plain_out, int64_t idle_ms);

/* Why the last call into OpenSSL failed, in its own words.  Empties its queue of errors. */
void pump_reason(struct buf *reason);

#endif
