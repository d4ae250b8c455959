/* decliners - users for whom it is not worth to start a process that may stay: it has declined
 * their last deliveries, because these need a program, or has ended before it could do any. */
#ifndef SPAWN_DECLINERS_H
#define SPAWN_DECLINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/proc.h"

#define DECLINERS_TIMES 3		/* in a row */
#define DECLINERS_MS 60000		/* so long it is not tried again */
#define DECLINERS_SIZE ((size_t)64)	/* users remembered; then the oldest is forgotten */

/* {0} is empty. */
struct decliners {
	struct decliner {
		struct proc_cred cred;
		unsigned times;		/* 0: free */
		int64_t until;
	} rows[DECLINERS_SIZE];
	size_t next;			/* to be used for another user */
};

/* One delivery for this user has been declined, or done. */
void decliners_note(struct decliners *d, const struct proc_cred *cred, bool declined);
bool decliners_has(const struct decliners *d, const struct proc_cred *cred);

#endif
