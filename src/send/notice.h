/* notice - the message that tells a sender what failed: made of bounce/N and mess/N, and handed to
 * qmail-queue piece by piece, while the loop goes on. */
#ifndef SEND_NOTICE_H
#define SEND_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "queue/submit.h"
#include "send/controls.h"
#include "send/waitset.h"

#define NOTICES_MAX 8		/* at the same time */
#define NOTICE_TURN 32		/* chunks of SUBMIT_BUFFER bytes written to one of them in a turn */

struct send;

enum notice_stage { NOTICE_FREE, NOTICE_MESSAGE, NOTICE_FLUSH, NOTICE_AWAIT };

/* What a notice consists of, in this order. */
enum notice_part {
	NOTICE_HEAD,
	NOTICE_BOUNCE,		/* the file */
	NOTICE_MIDDLE,
	NOTICE_MESS,		/* the file, or as much of it as control/bouncemaxbytes lets in */
	NOTICE_STRIPPED,	/* a line, if that was less */
	NOTICE_END		/* nothing is left */
};

struct notice {
	enum notice_stage stage;
	uint64_t id;
	struct submit submit;
	struct buf sender, recipient;	/* of its envelope */
	struct buf head, middle;	/* text before bounce/N, text between it and mess/N */
	int bounce_fd, mess_fd;
	enum notice_part part;
	uint64_t mess_left;	/* of the message, that may be copied */
	size_t at;		/* in head or middle */
	int child_fd;		/* readable when the program has ended */
};

struct notices {
	struct notice all[NOTICES_MAX];
	size_t busy;
};

enum notice_kind { NOTICE_SINGLE, NOTICE_DOUBLE, NOTICE_TRIPLE };
enum notice_kind notice_kind(struct span sender);
/* Text up to the report, text after it; replaces both buffers.  to: recipient of the notice;
 * sender: of the message, already without `-@[]`; date: of the notice. */
void notice_text(const struct controls *c, enum notice_kind kind, struct span sender,
    struct span to, int64_t date, struct buf *head, struct buf *middle);

enum notice_start {
	NOTICE_STARTED,		/* done_bounced or done_bounce_failed follows */
	NOTICE_NOT_NEEDED,	/* logged; discard bounce/N */
	NOTICE_VANISHED,	/* there is no info */
	NOTICE_LATER		/* logged */
};
/* There must be a free one (notices.busy < NOTICES_MAX). */
enum notice_start notice_start(struct send *s, uint64_t id);
void notice_watch(const struct notices *n, struct waitset *w);
void notice_step(struct send *s);
void notice_init(struct notices *n);
void notice_free(struct notices *n);

#endif
