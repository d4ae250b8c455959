/* deadline - points in time on the monotonic clock, in milliseconds.  DEADLINE_NONE never comes. */
#ifndef LIB_DEADLINE_H
#define LIB_DEADLINE_H

#include <stdint.h>

#define DEADLINE_NONE INT64_MAX

/* Now, in ms since an unspecified start; never goes back. */
int64_t deadline_now(void);
/* wait_ms from now; a negative wait counts as 0.  Saturates below DEADLINE_NONE. */
int64_t deadline_after(int64_t wait_ms);
/* The earlier of two. */
int64_t deadline_first(int64_t a, int64_t b);
/* What poll(2) wants: ms left, rounded up, 0 if passed, -1 for DEADLINE_NONE. */
int deadline_poll(int64_t deadline);

#endif
