/* reply - everything qmail-smtpd says with fixed words, and what a reply means for the session. */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>

#include "lib/io.h"

enum reply {
	REPLY_WRITTEN,		/* the command wrote its own, and succeeded */
	REPLY_WRITTEN_ERROR,	/* wrote its own refusal */
	REPLY_WRITTEN_END,	/* the same, and the connection ends */
	REPLY_LOST,		/* nothing: the client is gone */
	REPLY_OK,
	REPLY_VRFY,
	REPLY_HELP,
	REPLY_GO_AHEAD,
	REPLY_LATER_MAIL,	/* a command that needs MAIL first */
	REPLY_LATER_RCPT,
	REPLY_UNIMPLEMENTED,
	REPLY_NO_CHUNKS,	/* BDAT: what follows is no command */
	REPLY_LONG_LINE,
	REPLY_ARGUMENT,		/* the argument of MAIL or RCPT is not understood */
	REPLY_PARAMETER,
	REPLY_LONG_ADDRESS,
	REPLY_SENDER_SYNTAX,
	REPLY_RECIPIENT_SYNTAX,
	REPLY_BAD_SENDER,	/* badmailfrom */
	REPLY_DENIED_SENDER,	/* the lists of smtp/lists.h */
	REPLY_DENIED_RECIPIENT,
	REPLY_BAD_HELO,
	REPLY_NULL_SENDER,	/* the rules of smtp/rules.h */
	REPLY_NO_SENDER_DOMAIN,
	REPLY_DNS_TROUBLE,
	REPLY_RELAY_CHARACTERS,
	REPLY_MAX_RECIPIENTS,
	REPLY_BAD_RECIPIENTS,
	REPLY_TALKER,
	REPLY_UNLISTED,		/* smtp/validrcpt.h */
	REPLY_NO_MAILBOX,	/* smtp/rcptprog.h */
	REPLY_RCPTCHECK_UNKNOWN,
	REPLY_RCPTCHECK_UNABLE,
	REPLY_OVER_LIMIT,
	REPLY_NOT_ASCII,
	REPLY_NOT_UTF8,
	REPLY_NOT_OURS,		/* rcpthosts */
	REPLY_MANY_RECIPIENTS,
	REPLY_SPF_LATER,	/* name servers did not answer */
	REPLY_NAMELESS,		/* a client without a name */
	REPLY_DIALUP,		/* with the name of a dial-up line */
	REPLY_GREYLISTED,
	REPLY_TOO_BIG,
	REPLY_LOOP,
	REPLY_QUEUE_START,
	REPLY_BARE_CR,
	REPLY_BARE_LF,
	REPLY_TIMEOUT,
	REPLY_MEMORY,
	REPLY_CONTROLS,
	REPLY_OWN_ADDRESSES,
	REPLY_AUTH_OK,
	REPLY_AUTH_FAILED,
	REPLY_AUTH_CANCELLED,
	REPLY_AUTH_MALFORMED,
	REPLY_AUTH_LONG_LINE,
	REPLY_AUTH_MECHANISM,
	REPLY_AUTH_NONE,
	REPLY_AUTH_TWICE,
	REPLY_AUTH_LATE,	/* inside a transaction */
	REPLY_AUTH_NEEDS_TLS,
	REPLY_AUTH_FIRST,	/* MAIL without it */
	REPLY_AUTH_CHILD,	/* the checker cannot tell */
	REPLY_AUTH_START,
	REPLY_AUTH_PIPE,
	REPLY_AUTH_ENOUGH,	/* failed logins */
	REPLY_AUTH_OTHER,	/* FORCEAUTHMAILFROM */
	REPLY_AUTH_NOT_YOURS,	/* submitsenders */
	REPLY_TLS_READY,
	REPLY_TLS_UCSPI_READY,
	REPLY_TLS_LATER,
	REPLY_TLS_UCSPI_LATER,
	REPLY_TLS_ARGUMENT,
	REPLY_TLS_FOLLOWED,	/* by what should have been encrypted */
	REPLY_TLS_FIRST,	/* MAIL without it: FORCE_TLS, a number */
	REPLY_TLS_MUST,		/* FORCE_TLS, otherwise */
	REPLY_TLS_REQUIRED,	/* UCSPITLS */
	REPLY_ENOUGH,		/* too many errors or idle commands */
	REPLY_QUIT,
	REPLY_COUNT
};

/* What the session does after it. */
enum reply_effect {
	REPLY_GOES_ON,
	REPLY_REFUSES,		/* goes on, but counts as an error */
	REPLY_ENDS		/* the connection is closed, exit 1 */
};

/* Writes it as one line; nothing for those that are written already. */
void reply_put(struct io_out *out, enum reply r);
/* The words, with the code; NULL for those that are written already. */
const char *reply_text(enum reply r);
bool reply_is_refusal(enum reply r);	/* 4xx, 5xx */
/* Is this a recipient to be sent to later, in another transaction? */
bool reply_puts_off(enum reply r);
enum reply_effect reply_effect(enum reply r);

#endif
