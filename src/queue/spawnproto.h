/* spawnproto - what qmail-send and the two spawn daemons say to each other.
 *
 *	start	slot limit		one number
 *	command	slot id\0 sender\0 recipient\0	\x00 20/457\0 joe@a.example\0 bob@c.example\0
 *	report	slot class text \0			\x00 Ksome text\n \0
 *
 * Numbers are one byte, or two bytes, low byte first, when built with conf-spawn above 255. */
#ifndef QUEUE_SPAWNPROTO_H
#define QUEUE_SPAWNPROTO_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/span.h"

#define SPAWNPROTO_SLOT_BYTES (SPAWN_SLOTS > 255 ? 2 : 1)
#define SPAWNPROTO_FIELD_MAX ((size_t)65536)	/* bytes of one field of a command */
#define SPAWNPROTO_ID_MAX 100			/* bytes of the id with its NUL */
#define SPAWNPROTO_REPORT_MAX ((size_t)10000)	/* bytes of a report that qmail-send keeps */

void spawnproto_add_slot(struct buf *to, unsigned slot);
/* p holds SPAWNPROTO_SLOT_BYTES bytes. */
unsigned spawnproto_slot(const char *p);
void spawnproto_add_command(struct buf *to, unsigned slot, struct span id, struct span sender,
    struct span recipient);
/* text: class letter first; bytes from the first NUL on are dropped. */
void spawnproto_add_report(struct buf *to, unsigned slot, struct span text);

/* Takes commands apart, fed in pieces of any size. */
struct spawnproto_command {
	unsigned slot;
	struct buf id, sender, recipient;
	bool failed;		/* out of memory or a field over the limit */
	int stage;		/* private */
	size_t slot_bytes;	/* private */
};
/* Feeds one byte; true when a command is complete (spawnproto_command_next before the next). */
bool spawnproto_command_feed(struct spawnproto_command *c, char byte);
void spawnproto_command_next(struct spawnproto_command *c);
void spawnproto_command_free(struct spawnproto_command *c);

/* Takes reports apart the same way; bytes over SPAWNPROTO_REPORT_MAX are dropped. */
struct spawnproto_report {
	unsigned slot;
	struct buf text;	/* class letter first; may be empty */
	size_t slot_bytes;	/* private */
};
bool spawnproto_report_feed(struct spawnproto_report *r, char byte);
void spawnproto_report_next(struct spawnproto_report *r);
void spawnproto_report_free(struct spawnproto_report *r);

#endif
