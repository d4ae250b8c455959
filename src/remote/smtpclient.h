/* smtpclient - messages to one server, over a connection (RFC 5321; PIPELINING
 * RFC 2920, SIZE RFC 1870, 8BITMIME RFC 6152, STARTTLS RFC 3207 where offered; AUTH RFC 4954 if
 * there is something to log in with). */
#ifndef REMOTE_SMTPCLIENT_H
#define REMOTE_SMTPCLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"
#include "remote/dialogue.h"
#include "remote/login.h"
#include "remote/message.h"
#include "remote/smtpreply.h"
#include "remote/starttls.h"

#define SMTPCLIENT_BATCH 100		/* commands in flight with PIPELINING */
#define SMTPCLIENT_RATE 1000		/* bytes per second that a server must take at least */
#define SMTPCLIENT_DIALOGUE_MS ((int64_t)3600 * 1000)	/* all up to DATA, at least, and ... */
#define SMTPCLIENT_PER_RECIPIENT_MS ((int64_t)10 * 1000)	/* ... this for each recipient */
#define SMTPCLIENT_DOT_MS ((int64_t)600 * 1000)	/* RFC 5321, 4.5.3.2.6: giving up earlier sends
						 * the message twice */

struct smtpclient_waits {
	int64_t reply_ms;	/* for each reply, and for each write to be taken */
	int64_t dialogue_ms;	/* from the greeting to the reply to DATA */
	int64_t dot_ms;		/* for the reply to the final dot */
};
/* The waits that timeoutremote stands for. */
struct smtpclient_waits smtpclient_waits(int64_t timeout_ms, size_t recipients);

struct smtpclient_job {
	const char *helo;
	struct span sender;		/* as between < and > of a command; "" is the null sender */
	const struct span *recipients;	/* the same */
	size_t n;			/* 1 or more */
	struct smtpclient_waits waits;
	struct login login;
	struct starttls_terms tls;
};

/* A connection, for one message after the other. */
struct smtplink {
	int fd;
	bool stands;			/* the server took the last message, and no more was said */
	bool text_begun;		/* of the last message */
	bool logged_in;
	struct smtpreply_offers offers;
	char ip[IP_TEXT_SIZE];
	struct dialogue d;
};

/* fd does not block and is the link's from here on; its other end is called `ip` in reports. */
void smtpclient_open(struct smtplink *l, int fd, const char *ip);

/* Sends one message; the first begins with the greeting, TLS and the login of its job, and another
 * may follow only if the link stands.  Replaces *report by records of the form letter, text, NUL:
 * `r`, `h` or `s` for each recipient in order (fewer if it did not come to that), then one of `K`,
 * `Z`, `D`; see qmail-remote(8).  DIALOGUE_NEXT of a message that is not the first: all has to
 * begin anew over another connection, and the report means nothing.  The message is read from its
 * start. */
MUST_CHECK enum dialogue_outcome smtpclient_send(struct smtplink *l,
    const struct smtpclient_job *job, struct message *message, struct buf *report);
/* May another message follow?  Not if the server has said something unasked, or has hung up. */
bool smtpclient_stands(const struct smtplink *l);
/* Says QUIT if the server still listens, and waits for nothing. */
void smtpclient_close(struct smtplink *l);

#endif
