/* decliners - users for whom it is not worth to start a process that may stay. */
#include "spawn/decliners.h"

#include "lib/deadline.h"

/* The index of this user's row; DECLINERS_SIZE: none. */
static size_t
find(const struct decliners *d, const struct proc_cred *cred)
{
	size_t i = 0;

	while (i < DECLINERS_SIZE && (d->rows[i].times == 0 || d->rows[i].cred.uid != cred->uid ||
	    d->rows[i].cred.gid != cred->gid))
		i++;
	return i;
}

void
decliners_note(struct decliners *d, const struct proc_cred *cred, bool declined)
{
	size_t i = find(d, cred);

	if (!declined) {
		if (i < DECLINERS_SIZE)
			d->rows[i].times = 0;
		return;
	}
	if (i == DECLINERS_SIZE) {
		i = d->next;
		d->next = (d->next + 1) % DECLINERS_SIZE;
		d->rows[i] = (struct decliner){ .cred = *cred };
	}
	if (d->rows[i].times < DECLINERS_TIMES)
		d->rows[i].times++;
	d->rows[i].until = deadline_after(DECLINERS_MS);
}

bool
decliners_has(const struct decliners *d, const struct proc_cred *cred)
{
	size_t i = find(d, cred);

	return i < DECLINERS_SIZE && d->rows[i].times >= DECLINERS_TIMES &&
	    deadline_poll(d->rows[i].until) != 0;
}
