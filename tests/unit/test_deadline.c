/* deadline: saturation at both ends, what poll(2) gets. */
#include "lib/deadline.h"

#include <limits.h>

#include "tap.h"

int
main(void)
{
	struct tap t = { 0 };
	int64_t start = deadline_now();
	int left;

	ok(&t, start > 0 && deadline_now() >= start, "does not go back");
	ok(&t, deadline_after(0) >= start && deadline_after(-5) - start < 5000, "none, negative");
	ok(&t, deadline_after(INT64_MIN) - start < 5000, "most negative");
	ok(&t, deadline_after(INT64_MAX) == DEADLINE_NONE - 1, "longest wait is a deadline");
	ok(&t, deadline_after(DEADLINE_NONE - 1) == DEADLINE_NONE - 1, "a little less");
	ok(&t, deadline_after(1000) >= start + 1000, "a second");
	ok(&t, deadline_first(1, 2) == 1 && deadline_first(DEADLINE_NONE, 2) == 2, "first");
	ok(&t, deadline_first(DEADLINE_NONE, DEADLINE_NONE) == DEADLINE_NONE, "never");
	is_num(&t, deadline_poll(DEADLINE_NONE), -1, "poll: never");
	is_num(&t, deadline_poll(start - 1), 0, "poll: passed");
	is_num(&t, deadline_poll(-start), 0, "poll: long passed");
	is_num(&t, deadline_poll(DEADLINE_NONE - 1), INT_MAX, "poll: too far");
	left = deadline_poll(deadline_after(100000));
	ok(&t, left > 90000 && left <= 100000, "poll: left");
	return done(&t);
}
