/* qmqp - the client's side of QMQP: one request, one answer ("QMQP", D. J. Bernstein, 1998).
 *
 *	38:13:Subject: hi\n\n,4:a@b.,5:c@d.e,,		request: message, sender, recipients
 *	26:Kok 1700000000 qp 12345...,			answer */
#ifndef REMOTE_QMQP_H
#define REMOTE_QMQP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"
#include "queue/qqcode.h"
#include "remote/spool.h"

#define QMQP_PORT 628

/* Limits, all of them in qmail-limits(7). */
#define QMQP_CONNECT_MS (INT64_C(10) * 1000)
#define QMQP_TIMEOUT_MS (INT64_C(60) * 1000)	/* one read or write */
#define QMQP_ANSWER_MAX_MS (INT64_C(120) * 1000)	/* the whole answer */
#define QMQP_ENVELOPE_MAX ((size_t)128 << 20)	/* sender and recipients as netstrings */
#define QMQP_REASON_MAX ((size_t)255)		/* bytes of an answer that are kept */

struct qmqp_server {
	struct ip ip;
	uint16_t port;
};

/* An entry of control/qmqpservers: `192.0.2.1`, `192.0.2.1:6280`, `[2001:db8::1]`,
 * `[2001:db8::1]:6280`, `2001:db8::1`; other text behind it does not matter.  false: it begins with
 * no address, or the port is not 1 to 65535. */
MUST_CHECK bool qmqp_parse_server(struct span entry, struct qmqp_server *server);

struct qmqp_request {
	struct spool message;
	struct buf envelope;	/* a netstring for the sender and each recipient */
};

#define QMQP_REQUEST_EMPTY { SPOOL_EMPTY, BUF_CAP(QMQP_ENVELOPE_MAX) }

/* Reads message and envelope as qmail-queue does.  QQ_OK or what is wrong. */
MUST_CHECK enum qqcode qmqp_read_request(struct qmqp_request *r, int message_fd, int envelope_fd);
void qmqp_free_request(struct qmqp_request *r);

/* Tries to hand it to this server.  QQ_OK: it has the message.  *reason is replaced by what the
 * server says about a refusal, with its class letter, as one line; or is empty.
 * *final: another server must not be tried, because this one has answered or may have the message,
 * or because the trouble is ours. */
MUST_CHECK enum qqcode qmqp_send(const struct qmqp_request *r, const struct qmqp_server *server,
    struct buf *reason, bool *final);

#endif
