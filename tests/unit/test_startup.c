/* startup: a message that was in info and in todo when qmail-send began, looked at once more. */
#include "send/startup.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keptlog.h"
#include "lib/date.h"
#include "queuedir.h"
#include "send/send.h"
#include "tap.h"

#define ID 7

/* qmail-send.c's, which has a main. */
void
send_flush_log(struct send *s)
{
	(void)s;
}

enum { INFO = 1, TODO = 2, TEXT = 4, LOCAL = 8, UNSYNCABLE = 16, UNREADABLE = 32 };

static const struct {
	unsigned flag;
	const char *path;
} files[] = {
	{ INFO, "info/7/7" }, { TODO, "todo/7" }, { TEXT, "mess/7/7" }, { LOCAL, "local/7/7" },
};

static const struct {
	const char *name;
	unsigned there;
	bool one_journal;
	bool announced;		/* by qmail-todo, and finished; what is there is another message */
	bool on_channel, done, again;	/* what becomes of it */
	const char *log;
} rows[] = {
	{ "left todo", INFO | TEXT | LOCAL, false, false, true, false, false, "" },
	{ "without recipients left", INFO | TEXT, false, false, false, true, false, "" },
	{ "still in todo", INFO | TODO | TEXT | LOCAL, false, false, false, false, false, "" },
	{ "gone", 0, false, false, false, false, false, "" },
	{ "arriving", TEXT, false, false, false, false, false, "" },
	{ "todo cannot be synced", INFO | TEXT | LOCAL | UNSYNCABLE, false, false, false, false,
	    true, "warning: trouble fsyncing todo\n" },
	{ "a journal keeps the order", INFO | TEXT | LOCAL | UNSYNCABLE, true, false, true, false,
	    false, "" },
	{ "todo cannot be read", INFO | TEXT | LOCAL | UNREADABLE, false, false, false, false, true,
	    "warning: unable to stat todo/7; will try again later\n" },
	{ "another of that number, half preprocessed", INFO | TEXT | LOCAL, false, true, false,
	    false, false, "" },
};

static void
put_files(unsigned there)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (there & files[i].flag)
			queuedir_put(files[i].path, "x", 1);
	if (there & (UNSYNCABLE | UNREADABLE) && rmdir("todo") == -1)
		queuedir_die("todo");
	if (there & UNREADABLE)
		queuedir_put("todo", "", 0);
}

/* It was delivered, and the number came free. */
static void
announce_and_finish(struct send *s)
{
	if (!jobs_preprocessed(s, ID, 1U << CHANNEL_LOCAL) ||
	    !heap_remove(&s->sched.channel[CHANNEL_LOCAL], ID))
		abort();
}

static void
test_row(struct tap *t, size_t i)
{
	struct buf log = { 0 };
	struct send s = { .log = { .emit = keptlog_add, .arg = &log, .tag = "" } };
	int64_t due;
	char top[64];

	queuedir_enter(top, false);
	if (qlayout_detect(&s.q) == -1)
		queuedir_die("qlayout_detect");
	s.q.one_journal = rows[i].one_journal;
	s.startup.stage = STARTUP_OVER;
	if (heap_set(&s.sched.recheck, ID, date_now() - 1) == -1)
		abort();
	if (rows[i].announced)
		announce_and_finish(&s);
	put_files(rows[i].there);
	startup_step(&s);
	ok(t, heap_get(&s.sched.channel[CHANNEL_LOCAL], ID, &due) == rows[i].on_channel,
	    "%s: on the schedule?", rows[i].name);
	ok(t, !heap_get(&s.sched.channel[CHANNEL_REMOTE], ID, &due), "  nowhere else");
	ok(t, heap_get(&s.sched.done, ID, &due) == rows[i].done, "  to be removed?");
	ok(t, heap_get(&s.sched.recheck, ID, &due) == rows[i].again &&
	    (!rows[i].again || due > date_now()), "  to be looked at again?");
	is(t, buf_span(&log), span_str(rows[i].log), "  the log");
	sched_free(&s.sched);
	buf_free(&s.log.line);
	buf_free(&log);
	queuedir_leave(top);
}

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		test_row(&t, i);
	return done(&t);
}
