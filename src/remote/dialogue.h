/* dialogue - what every part of an SMTP client does: says a command, reads the reply, and writes
 * records of the report that qmail-remote(8) describes.
 *
 * Functions that return bool: true to go on; false when the outcome and the report are settled, or,
 * where that is said, when nothing came. */
#ifndef REMOTE_DIALOGUE_H
#define REMOTE_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "remote/smtpreply.h"

#define DIALOGUE_INPUT 8192
#define DIALOGUE_OUTPUT 32768

/* Where SMTP changes from "fine" to "no". */
enum {
	DIALOGUE_READY = 220,
	DIALOGUE_FULFILLED = 250,
	DIALOGUE_TEXT = 354,
	DIALOGUE_CLOSING = 421,
	DIALOGUE_TEMPORARY = 400,	/* from here on it is a refusal, */
	DIALOGUE_PERMANENT = 500	/* from here on for good */
};

enum dialogue_outcome {
	DIALOGUE_FINAL,		/* the report tells */
	DIALOGUE_NEXT,		/* not delivered, and nothing taken: another address may be tried;
				 * the report tells what to say if there is none */
	DIALOGUE_CLEAR,		/* the same, but this address may be tried without TLS */
	DIALOGUE_CLEAR_NOW,	/* the same, because of trouble here: it is not to blame */
	DIALOGUE_MEMORY
};

struct dialogue {
	const char *ip;			/* what the report calls the server */
	struct buf *report;
	struct smtpreply reply;		/* the last one */
	int64_t reply_ms;		/* for each reply, and for each write to be taken */
	int64_t end;			/* of the whole dialogue */
	bool at_dot;			/* the end of the message may have left */
	bool hung_up;			/* no QUIT */
	bool owns_descriptors;
	enum dialogue_outcome outcome;
	struct io_in in;
	struct io_out out;
	char input[DIALOGUE_INPUT];
	char output[DIALOGUE_OUTPUT];
};

/* Over a socket that does not block; {0} before.  Borrows ip. */
void dialogue_start(struct dialogue *d, int fd, const char *ip);
/* Another message, or the first one: its report, which is borrowed, and its limits. */
void dialogue_next(struct dialogue *d, struct buf *report, int64_t reply_ms, int64_t end);
/* Goes on over two pipes that do not block, which it closes at the end; what has been read and not
 * looked at is dropped. */
void dialogue_move(struct dialogue *d, int in, int out);
void dialogue_free(struct dialogue *d);

/* Reads the next reply; what was put before it goes out first.  false: none came. */
MUST_CHECK bool dialogue_read(struct dialogue *d, int64_t deadline);
/* The same within the limits of the dialogue; none: dialogue_died. */
MUST_CHECK bool dialogue_reply(struct dialogue *d);

/* letter, before, ip, after; more text may be added until the end of the record. */
void dialogue_record(struct dialogue *d, char letter, const char *before, const char *after);
void dialogue_record_end(struct dialogue *d);
/* The same with the last reply at its end. */
void dialogue_record_reply(struct dialogue *d, char letter, const char *before, const char *after);
void dialogue_add_reply(struct dialogue *d);

/* The following return false. */
bool dialogue_settle(struct dialogue *d, enum dialogue_outcome outcome);
/* Refused by the last reply: `D` or `Z` as it says. */
bool dialogue_refused(struct dialogue *d, const char *before, const char *after);
/* The same, but never for good: the server does not want to talk to us at all. */
bool dialogue_unwelcome(struct dialogue *d, const char *after);
bool dialogue_died(struct dialogue *d);
/* Trouble here. */
bool dialogue_local_trouble(struct dialogue *d, const char *text);

#endif
