/* cleaner - requests to qmail-clean, sent without waiting and answered in order.
 *
 *	todo/457\0	remove intd/457 and todo/457		answer: `+`, else trouble
 *	foop/457\0	remove intd/457 and mess/20/457 */
#ifndef SEND_CLEANER_H
#define SEND_CLEANER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "queue/qlayout.h"
#include "send/activity.h"
#include "send/waitset.h"

enum clean_what { CLEAN_TODO, CLEAN_FOOP, CLEAN_WHATS };

/* Unanswered requests, with all their bytes below 4 KiB: pipes hold that much, so neither side ever
 * waits for the other to read. */
#define CLEANER_MAX 127
#define CLEANER_REQUEST_SIZE 32

_Static_assert(sizeof "todo/65000/18446744073709551615" <= CLEANER_REQUEST_SIZE, "a request fits");
_Static_assert(CLEANER_MAX * CLEANER_REQUEST_SIZE < 4096, "requests fit into the pipe");

struct cleaner {
	int to, from;		/* pipes, -1 once lost */
	const struct qlayout *q;
	struct activity *log;
	struct {
		void (*answered)(void *arg, uint64_t id, bool removed);
		void *arg;
	} owner[CLEAN_WHATS];	/* whom to tell; a failure was logged already */
	struct {
		uint64_t id;
		enum clean_what what;
	} asked[CLEANER_MAX];
	size_t first, n;	/* ring of what is not answered */
	char out[CLEANER_MAX * CLEANER_REQUEST_SIZE];
	size_t out_n, out_at;
};

/* Makes both descriptors non-blocking.  -1 with errno. */
MUST_CHECK int cleaner_init(struct cleaner *c, int to, int from, const struct qlayout *q,
    struct activity *log);
/* How many more requests it takes now. */
size_t cleaner_room(const struct cleaner *c);
/* There must be room. */
void cleaner_ask(struct cleaner *c, enum clean_what what, uint64_t id);
/* Is a request for this id not answered yet? */
bool cleaner_pending(const struct cleaner *c, uint64_t id);
/* Are there requests that cleaner_watch would write? */
bool cleaner_has_requests(const struct cleaner *c);
/* Writes requests, and says what to wait for. */
void cleaner_watch(struct cleaner *c, struct waitset *w);
/* Writes and reads what it can.  false: qmail-clean is gone (told once; room is 0 then). */
bool cleaner_step(struct cleaner *c, const struct waitset *w);

#endif
