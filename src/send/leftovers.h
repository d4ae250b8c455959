/* leftovers - removes texts of messages that never came into being: older than
 * QLAYOUT_SWEEP_AGE_S, with neither todo nor info (S2, S3).  At the start, then every
 * LEFTOVERS_PAUSE_MS; a little per turn. */
#ifndef SEND_LEFTOVERS_H
#define SEND_LEFTOVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/qlayout.h"
#include "send/waitset.h"

#define LEFTOVERS_PAUSE_MS 76431000
#define LEFTOVERS_SLICE 200		/* files of one turn */

struct send;

struct leftovers {
	struct qlayout_scan scan;
	bool active, held;
	uint64_t held_id;	/* waits until qmail-clean takes requests */
	int64_t next;		/* monotonic ms */
};

void leftovers_watch(const struct send *s, struct waitset *w);
void leftovers_step(struct send *s);

#endif
