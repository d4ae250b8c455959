/* deadline - points in time on the monotonic clock, in milliseconds. */
#include "lib/deadline.h"

#include <limits.h>
#include <time.h>

int64_t
deadline_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);	/* cannot fail with a valid clock id */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
deadline_after(int64_t wait_ms)
{
	int64_t now = deadline_now();

	if (wait_ms < 0)
		wait_ms = 0;
	return wait_ms >= DEADLINE_NONE - now ? DEADLINE_NONE - 1 : now + wait_ms;
}

int64_t
deadline_first(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
deadline_poll(int64_t deadline)
{
	int64_t left;

	if (deadline == DEADLINE_NONE)
		return -1;
	left = deadline - deadline_now();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
