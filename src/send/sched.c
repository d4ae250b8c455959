/* sched - when what is due. */
#include "send/sched.h"

#include "lib/num.h"

#define AGE_MAX_S (INT64_MAX / 4)

static int64_t
age_of(int64_t birth, int64_t now)
{
	int64_t age;

	if (__builtin_sub_overflow(now, birth, &age))
		return now > birth ? AGE_MAX_S : 0;
	return age < 0 ? 0 : age > AGE_MAX_S ? AGE_MAX_S : age;
}

int64_t
sched_time(int64_t t)
{
	return t == HEAP_NEVER ? HEAP_NEVER - 1 : t;
}

int64_t
sched_retry(enum channel channel, int64_t birth, int64_t now)
{
	static const int64_t skip[CHANNELS] = { [CHANNEL_LOCAL] = 10, [CHANNEL_REMOTE] = 20 };
	int64_t root = (int64_t)num_isqrt((uint64_t)age_of(birth, now)) + skip[channel];
	int64_t next;

	if (__builtin_add_overflow(birth, root * root, &next))
		return HEAP_NEVER - 1;
	return sched_time(next);
}

bool
sched_dying(int64_t birth, int64_t now, uint64_t lifetime_s)
{
	return (uint64_t)age_of(birth, now) > lifetime_s;
}

int64_t
sched_bounce_pause(int64_t age_s)
{
	if (age_s < SCHED_TROUBLE_S)
		return SCHED_TROUBLE_S;
	return age_s < SCHED_BOUNCE_MAX_S ? age_s : SCHED_BOUNCE_MAX_S;
}

bool
sched_has(const struct sched *s, uint64_t id)
{
	int64_t due;

	for (int c = 0; c < CHANNELS; c++)
		if (heap_get(&s->channel[c], id, &due))
			return true;
	return heap_get(&s->done, id, &due);
}

void
sched_free(struct sched *s)
{
	for (int c = 0; c < CHANNELS; c++)
		heap_free(&s->channel[c]);
	heap_free(&s->done);
	heap_free(&s->bounce);
	heap_free(&s->recheck);
}
