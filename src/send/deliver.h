/* deliver - the connection to a spawn daemon: which of its slots are busy, commands to it, reports
 * from it (queue/spawnproto.h). */
#ifndef SEND_DELIVER_H
#define SEND_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "mail/route.h"
#include "queue/spawnproto.h"
#include "send/bounce.h"
#include "send/waitset.h"

#define DELIVER_OUT_FULL ((size_t)65536)	/* unwritten bytes that stop new starts */
#define DELIVER_OUT_SIZE ((size_t)384 << 10)	/* full, and one command of the greatest length */
#define DELIVER_REPORTS BOUNCE_FILES		/* reports handled together */
#define DELIVER_THROTTLE_MS 10000		/* after a daemon was out of processes */

struct host;
struct job;
struct send;

struct slot {
	struct job *job;	/* NULL: free */
	uint64_t delivery;
	struct host *host;	/* that holds this place; NULL: nobody counts */
	off_t at;		/* of the recipient's record in the channel file */
	struct buf recipient;
	bool reported;
};

enum outcome { OUTCOME_SUCCESS, OUTCOME_DEFERRAL, OUTCOME_FAILURE, OUTCOME_MANGLED };

struct report {
	struct slot *slot;
	enum outcome outcome;
	struct buf text;	/* without class letter */
	size_t bounce;		/* OUTCOME_FAILURE: number of the bounce file in this turn */
};

struct spawn {
	enum channel channel;
	int to, from;		/* pipes; -1: lost */
	unsigned concurrency;	/* slots we use */
	unsigned used;
	unsigned throttle;	/* while throttled: at most so many at once */
	int64_t throttled_until;
	struct slot *slots;
	uint64_t *busy;		/* a bit per slot */
	struct buf out, command;
	size_t out_at;
	struct spawnproto_report parser;
	struct report reports[DELIVER_REPORTS];
	size_t reports_n;
};

/* Reads the daemon's slot limit (waits for it), takes at most `wanted` slots.  -1: it does not
 * answer, or no memory. */
MUST_CHECK int deliver_init(struct spawn *d, enum channel channel, int to, int from,
    uint64_t wanted);
void deliver_free(struct spawn *d);
/* How many deliveries it can take now. */
unsigned deliver_room(const struct spawn *d);
/* Starts one for the recipient at `at`, and logs it.  -1: no memory. */
MUST_CHECK int deliver_start(struct send *s, struct spawn *d, struct job *job, off_t at,
    struct span recipient);
/* Writes commands, and says what to wait for. */
void deliver_watch(struct spawn *d, struct waitset *w);
/* Writes commands, takes reports.  false: the daemon is gone (told once). */
bool deliver_step(struct send *s, struct spawn *d);
/* Has it nothing under way that could still report? */
bool deliver_idle(const struct spawn *d);
void deliver_log_status(struct send *s);

/* report.c: takes one report; handles all that are collected. */
void report_take(struct send *s, struct spawn *d);
void report_apply(struct send *s, struct spawn *d);

#endif
