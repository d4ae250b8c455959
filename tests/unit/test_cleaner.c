/* cleaner - requests in pieces, answers in order, and the end of qmail-clean. */
#include <signal.h>

#include "keptlog.h"
#include "queuedir.h"
#include "lib/sys.h"
#include "send/cleaner.h"
#include "tap.h"

struct fixture {
	struct cleaner c;
	struct waitset w;
	struct qlayout q;
	struct activity log;
	int requests, answers;	/* the other side's ends */
	uint64_t last;
	size_t good, bad;
	struct buf said;
};

static void
answered(void *arg, uint64_t id, bool removed)
{
	struct fixture *f = arg;

	f->last = id;
	f->good += removed;
	f->bad += !removed;
}

static void
prepare(struct fixture *f, bool big_todo)
{
	int to[2], from[2];

	*f = (struct fixture){ .q = { .big_todo = big_todo } };
	f->log = (struct activity){ .emit = keptlog_add, .arg = &f->said, .tag = "tag: " };
	if (sys_pipe(to) == -1 || sys_pipe(from) == -1 ||
	    cleaner_init(&f->c, to[1], from[0], &f->q, &f->log) == -1 ||
	    io_nonblock(to[0], true) == -1)
		queuedir_die("pipe");
	f->requests = to[0];
	f->answers = from[1];
	f->c.owner[CLEAN_TODO].answered = f->c.owner[CLEAN_FOOP].answered = answered;
	f->c.owner[CLEAN_TODO].arg = f->c.owner[CLEAN_FOOP].arg = f;
}

static bool
turn(struct fixture *f)
{
	waitset_begin(&f->w);
	waitset_now(&f->w);
	cleaner_watch(&f->c, &f->w);
	return waitset_sleep(&f->w) == 0 && cleaner_step(&f->c, &f->w);
}

static void
finish(struct fixture *f)
{
	if (f->c.to != -1) {
		(void)close(f->c.to);
		(void)close(f->c.from);
	}
	(void)close(f->requests);
	(void)close(f->answers);
	buf_free(&f->log.line);
	buf_free(&f->said);
}

static void
sent_is(struct tap *t, struct fixture *f, struct span want, const char *name)
{
	char bytes[256];
	ssize_t n = io_read(f->requests, bytes, sizeof bytes);

	is(t, span_of(bytes, n > 0 ? (size_t)n : 0), want, name);
}

static void
test_order(struct tap *t)
{
	static const char flat[] = "todo/457\0foop/457\0";
	static const char split[] = "todo/20/457\0foop/457\0";
	struct fixture f;

	for (int big = 0; big < 2; big++) {
		prepare(&f, big == 1);
		cleaner_ask(&f.c, CLEAN_TODO, 457);
		cleaner_ask(&f.c, CLEAN_FOOP, 457);
		ok(t, turn(&f), "sent without waiting for answers");
		sent_is(t, &f, big ? span_of(split, sizeof split - 1) :
		    span_of(flat, sizeof flat - 1), "the requests");
		ok(t, cleaner_pending(&f.c, 457) && !cleaner_pending(&f.c, 45), "pending");
		ok(t, io_write_all(f.answers, "+!", 2) == 0 && turn(&f), "both answers at once");
		ok(t, f.good == 1 && f.bad == 1 && !cleaner_pending(&f.c, 457), "one of each");
		is(t, buf_span(&f.said),
		    span_str("warning: qmail-clean unable to clean up foop/457\n"), "the warning");
		finish(&f);
	}
}

static void
test_full(struct tap *t)
{
	struct fixture f;
	char plus[CLEANER_MAX + 5];

	prepare(&f, true);
	for (int round = 0; round < 3; round++) {
		size_t asked = 0;

		for (; cleaner_room(&f.c); asked++)
			cleaner_ask(&f.c, CLEAN_TODO, UINT64_MAX - asked);
		ok(t, asked == CLEANER_MAX, "%d of the longest requests", CLEANER_MAX);
		ok(t, turn(&f) && f.c.out_n == 0, "all fit into the pipe");
		for (char bytes[4096]; io_read(f.requests, bytes, sizeof bytes) > 0;)
			;
		memset(plus, '+', sizeof plus);
		ok(t, io_write_all(f.answers, plus, asked) == 0, "answers");
		ok(t, turn(&f) && turn(&f), "are taken");
		ok(t, cleaner_room(&f.c) == CLEANER_MAX && f.last == UINT64_MAX - asked + 1,
		    "in order");
	}
	ok(t, io_write_all(f.answers, plus, 5) == 0 && turn(&f), "answers to nothing are ignored");
	ok(t, f.good == 3 * CLEANER_MAX && f.bad == 0, "and counted for nothing");
	finish(&f);
}

static void
test_lost(struct tap *t)
{
	struct fixture f;

	prepare(&f, false);
	cleaner_ask(&f.c, CLEAN_FOOP, 1);
	(void)close(f.answers);
	ok(t, !turn(&f), "end of the answers: gone");
	ok(t, cleaner_room(&f.c) == 0 && !cleaner_pending(&f.c, 1), "it takes nothing more");
	ok(t, !turn(&f), "it stays gone");
	is(t, buf_span(&f.said),
	    span_str("alert: tag: oh no! lost qmail-clean connection! dying...\n"), "told once");
	f.answers = open("/dev/null", O_RDONLY | O_CLOEXEC);
	finish(&f);

	prepare(&f, false);
	(void)close(f.requests);
	cleaner_ask(&f.c, CLEAN_FOOP, 1);
	ok(t, !turn(&f), "nobody reads: gone");
	f.requests = open("/dev/null", O_RDONLY | O_CLOEXEC);
	finish(&f);
}

int
main(void)
{
	struct tap t = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	test_order(&t);
	test_full(&t);
	test_lost(&t);
	return done(&t);
}
