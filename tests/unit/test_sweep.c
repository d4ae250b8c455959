/* sweep: what is old enough, seen from a clock of our own. */
#include "queue/sweep.h"

#include "lib/date.h"
#include "queuedir.h"
#include "tap.h"

static void
test_pid(struct tap *t, const struct qlayout *q, int64_t now)
{
	struct sweep s = { 0 };

	queuedir_put("pid/1.2.3", "", 0);
	queuedir_put("pid/foreign", "", 0);
	queuedir_put("pid/.hidden", "", 0);
	sweep_step(&s, q, now + QLAYOUT_SWEEP_AGE_S - 2);
	is_num(t, queuedir_count("pid"), 3, "younger than 36 h");
	sweep_step(&s, q, now + QLAYOUT_SWEEP_AGE_S + 2);
	is_num(t, queuedir_count("pid"), 1, "older");
	ok(t, queuedir_has("pid/.hidden"), "no names with a dot");
	sweep_end(&s);
}

/* pid is not read again before something in it may be old, or the clock was set back. */
static void
test_pid_due(struct tap *t, const struct qlayout *q, int64_t now)
{
	struct sweep s = { 0 };

	sweep_step(&s, q, now - 100);
	is_num(t, s.pid_due, now - 100 + QLAYOUT_SWEEP_AGE_S, "nothing there");
	queuedir_put("pid/1.2.3", "", 0);
	sweep_step(&s, q, now + 5);
	is_num(t, s.pid_read, now - 100, "nothing can be old: not read");
	sweep_step(&s, q, now - 200);
	is_num(t, s.pid_read, now - 200, "set back: read");
	sweep_step(&s, q, now - 200 + QLAYOUT_SWEEP_AGE_S);
	ok(t, s.pid_due >= now + QLAYOUT_SWEEP_AGE_S && queuedir_has("pid/1.2.3"),
	    "due when that one is");
	sweep_step(&s, q, s.pid_due);
	ok(t, !queuedir_has("pid/1.2.3"), "and then it goes");
	sweep_end(&s);
}

/* Old times do not make a file old whose status changed since. */
static void
test_times(struct tap *t, const struct qlayout *q, int64_t now)
{
	const struct timespec past[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct sweep s = { 0 };

	queuedir_put("pid/1.2.3", "", 0);
	ok(t, utimensat(AT_FDCWD, "pid/1.2.3", past, 0) == 0, "made to look old");
	sweep_step(&s, q, now);
	ok(t, queuedir_has("pid/1.2.3"), "the youngest of the times counts");
	sweep_step(&s, q, now + QLAYOUT_SWEEP_AGE_S + 2);
	ok(t, !queuedir_has("pid/1.2.3"), "gone in time");
	sweep_end(&s);
}

static void
test_intd(struct tap *t, const struct qlayout *q, int64_t now)
{
	struct sweep s = { 0 };

	queuedir_put("intd/1", "", 0);
	queuedir_put("intd/2", "", 0);
	queuedir_put("mess/2/2", "", 0);
	queuedir_put("intd/3", "", 0);
	queuedir_put("todo/3", "", 0);
	queuedir_put("intd/4.x", "", 0);
	sweep_step(&s, q, now + QLAYOUT_SWEEP_AGE_S - 2);
	is_num(t, queuedir_count("intd"), 4, "younger than 36 h");
	sweep_step(&s, q, now + QLAYOUT_SWEEP_AGE_S + 2);
	is_num(t, queuedir_count("intd"), 4, "the next walk is not due");
	now += QLAYOUT_SWEEP_AGE_S + SWEEP_INTD_EVERY_S;
	(void)rename("info/5", "info/x5");
	sweep_step(&s, q, now);
	is_num(t, queuedir_count("intd"), 4, "nothing is removed from a queue that is not whole");
	(void)rename("info/x5", "info/5");
	sweep_step(&s, q, now + SWEEP_INTD_EVERY_S);
	ok(t, !queuedir_has("intd/1"), "an envelope without a message goes");
	is_num(t, queuedir_count("intd"), 3, "others stay");
	sweep_end(&s);
}

static void
test_steps(struct tap *t, const struct qlayout *q, int64_t now)
{
	struct sweep s = { 0 };
	char path[32];

	for (int i = 0; i < SWEEP_STEP + 100; i++) {
		(void)snprintf(path, sizeof path, "intd/%d", 1000 + i);
		queuedir_put(path, "", 0);
	}
	now += QLAYOUT_SWEEP_AGE_S + 2;
	sweep_step(&s, q, now);
	is_num(t, queuedir_count("intd"), 3 + 100, "a bounded number at a time");
	sweep_step(&s, q, now);
	is_num(t, queuedir_count("intd"), 3, "the rest");
	sweep_end(&s);
}

int
main(void)
{
	const struct qlayout q = { .big_todo = false };
	struct tap t = { 0 };
	int64_t now = date_now();
	char top[64];

	queuedir_enter(top, false);
	test_pid(&t, &q, now);
	(void)!unlink("pid/.hidden");
	test_pid_due(&t, &q, now);
	test_times(&t, &q, now);
	test_intd(&t, &q, now);
	(void)!system("rm -f intd/* mess/2/2 todo/3 && touch intd/a intd/b intd/c");
	test_steps(&t, &q, now);
	queuedir_leave(top);
	return done(&t);
}
