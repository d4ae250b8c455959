/* sched, leftovers - arithmetic with times. */
#include "send/leftovers.h"
#include "send/sched.h"
#include "tap.h"

/* Attempts, each started on time, at these ages. */
static void
test_series(struct tap *t, enum channel channel, int64_t step)
{
	const int64_t birth = 1000000;
	int64_t now = birth;
	bool good = true;

	for (int64_t k = 1; k <= 40; k++) {
		now = sched_retry(channel, birth, now);
		good = good && now == birth + k * step * k * step;
	}
	ok(t, good, "attempts at (%lld k) squared", (long long)step);
}

static void
test_retry(struct tap *t)
{
	static const struct {
		const char *name;
		enum channel channel;
		int64_t birth, now, want;
	} rows[] = {
		{ "a bit late", CHANNEL_LOCAL, 0, 120, 400 },
		{ "just before a square", CHANNEL_REMOTE, 0, 399, 39 * 39 },
		{ "at a square", CHANNEL_REMOTE, 0, 400, 1600 },
		{ "born in the future", CHANNEL_REMOTE, 5000, 100, 5400 },
		{ "before 1970", CHANNEL_LOCAL, -500, -500, -400 },
		{ "end of time", CHANNEL_LOCAL, INT64_MAX - 5, INT64_MAX - 5, HEAP_NEVER - 1 },
		{ "all of time", CHANNEL_LOCAL, INT64_MIN, INT64_MAX,
		    INT64_MIN + (INT64_C(1518500249) + 10) * (INT64_C(1518500249) + 10) },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_num(t, sched_retry(rows[i].channel, rows[i].birth, rows[i].now), rows[i].want,
		    rows[i].name);
	test_series(t, CHANNEL_LOCAL, 10);
	test_series(t, CHANNEL_REMOTE, 20);
}

static void
test_dying(struct tap *t)
{
	ok(t, !sched_dying(1000, 1000 + 604799, 604800), "below the lifetime");
	ok(t, !sched_dying(1000, 1000 + 604800, 604800), "at the lifetime");
	ok(t, sched_dying(1000, 1000 + 604801, 604800), "above the lifetime");
	ok(t, !sched_dying(1000, 1000, 0), "lifetime 0: not in the second of birth");
	ok(t, sched_dying(1000, 1001, 0), "lifetime 0: a second later");
	ok(t, !sched_dying(2000, 1000, 0), "born in the future");
	is_num(t, sched_retry(CHANNEL_REMOTE, 0, 760 * 760), 608400, "the attempt after a week");
	ok(t, sched_dying(0, 608400, 604800), "is the last one");
}

static void
test_pauses(struct tap *t)
{
	is_num(t, sched_bounce_pause(0), 123, "bounce: at once");
	is_num(t, sched_bounce_pause(122), 123, "bounce: below the least");
	is_num(t, sched_bounce_pause(124), 124, "bounce: as long as it waits");
	is_num(t, sched_bounce_pause(3599), 3599, "bounce: below the most");
	is_num(t, sched_bounce_pause(3600), 3600, "bounce: the most");
	is_num(t, sched_bounce_pause(INT64_MAX), 3600, "bounce: above the most");
	is_num(t, sched_time(7), 7, "times of files are taken as they are");
	is_num(t, sched_time(HEAP_NEVER), HEAP_NEVER - 1, "but never mean never");
}

static void
test_leftovers(struct tap *t)
{
	const int64_t now = 10000000;
	struct stat st = { 0 };

	st.st_atime = st.st_mtime = st.st_ctime = now - QLAYOUT_SWEEP_AGE_S - 1;
	ok(t, qlayout_is_old(&st, now), "older than 36 hours");
	st.st_mtime = now - QLAYOUT_SWEEP_AGE_S;
	ok(t, !qlayout_is_old(&st, now), "mtime at 36 hours");
	st.st_mtime--;
	st.st_ctime = now - 5;
	ok(t, !qlayout_is_old(&st, now), "young ctime");
	st.st_ctime = 0;
	st.st_atime = now + 99;
	ok(t, !qlayout_is_old(&st, now), "atime in the future");
	st.st_atime = st.st_mtime = st.st_ctime = INT32_MIN;
	ok(t, qlayout_is_old(&st, now), "before 1970");
}

int
main(void)
{
	struct tap t = { 0 };

	test_retry(&t);
	test_dying(&t);
	test_pauses(&t);
	test_leftovers(&t);
	return done(&t);
}
