/* delivery - what one run of qmail-local knows about its message and recipient, and the environment
 * that programs get from it (qmail-command(8)). */
#ifndef LOCAL_DELIVERY_H
#define LOCAL_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "mail/dotqmail.h"

struct delivery {
	/* The operands, borrowed from argv.  All of them but home are chosen by strangers. */
	const char *user, *home, *local, *dash, *ext, *domain, *sender, *fallback;
	bool describe;			/* -n */
	bool simple;			/* nothing but Maildirs */

	struct buf recipient;		/* local@domain */
	struct buf dtline;		/* `Delivered-To: ...` LF */
	struct buf rpline;		/* `Return-Path: <...>` LF */
	struct buf ufline;		/* `From ...` LF */
	struct buf newsender;		/* of what is forwarded */
	struct dotqmail file;
	struct span instructions;	/* of the file, or fallback */
};

#define DELIVERY_OPERANDS 8

/* In the order of qmail-local's operands. */
void delivery_set(struct delivery *d, char *const operands[DELIVERY_OPERANDS]);
/* Fills the lines in; they do not need the .qmail file.  false: no memory. */
MUST_CHECK bool delivery_describe(struct delivery *d, int64_t now);
void delivery_free(struct delivery *d);

/* Puts everything into our environment; the lines and newsender are made, the file is chosen.
 * false: no memory. */
MUST_CHECK bool delivery_export(const struct delivery *d);

/* Passes a message by and looks for a header line equal to ours.  {0} to start. */
struct loopcheck {
	size_t at;		/* bytes of the current line seen */
	bool differs;		/* from our line */
};
enum loopcheck_result { LOOPCHECK_MORE, LOOPCHECK_NONE, LOOPCHECK_FOUND };
/* MORE: the header goes on behind this piece. */
enum loopcheck_result loopcheck_feed(struct loopcheck *c, struct span line, struct span piece);

#endif
