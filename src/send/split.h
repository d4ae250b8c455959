/* split - one message from todo to info, local and remote: the part of preprocessing that concerns
 * a single message (S4 to S5, steps 1 to 4; qlayout.h has the states).  The caller makes it durable
 * with others together, and only then has the todo entry removed. */
#ifndef SEND_SPLIT_H
#define SEND_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "lib/syncset.h"
#include "mail/route.h"
#include "queue/qlayout.h"
#include "send/activity.h"

#define SPLIT_BUFFER 8192

/* Channels first.  An old bounce is removed, never written. */
enum split_file { SPLIT_LOCAL, SPLIT_REMOTE, SPLIT_INFO, SPLIT_FILES, SPLIT_BOUNCE = SPLIT_FILES,
	SPLIT_DIRS };

struct splitter {
	const struct qlayout *q;
	const struct routes *routes;
	struct activity *log;
	struct buf record, address, sender;	/* the rest is private */
	char in[SPLIT_BUFFER], out[SPLIT_FILES][SPLIT_BUFFER];
	struct io_out writer[SPLIT_FILES];
};

struct split {
	uint64_t id;
	int fd[SPLIT_FILES];	/* -1: no such file */
	unsigned channels;	/* bit 1 << channel: has recipients there */
};

enum split_status {
	SPLIT_OK,	/* written, not yet synced; write-back has begun */
	SPLIT_GONE,	/* there is no todo file */
	SPLIT_ORPHAN,	/* no message belongs to the todo file: it is garbage */
	SPLIT_FAILED	/* logged; nothing but todo is left; try again later */
};

/* Logs `new msg` and `info msg` for SPLIT_OK. */
enum split_status split_message(struct splitter *s, uint64_t id, struct split *m);
/* The files that have to be synced: room for SPLIT_FILES of them.  Returns how many. */
size_t split_files(const struct split *m, struct syncset_item *files);
/* Closes them after syncset_run, whose results of this message begin at *result, which is moved
 * behind them.  -1: logged; the files are removed. */
MUST_CHECK int split_close(struct splitter *s, struct split *m,
    const struct syncset_item **result);
/* Closes and removes the files. */
void split_discard(struct splitter *s, struct split *m);
/* The queue directory of a file. */
enum qdir split_dir(enum split_file f);

#endif
