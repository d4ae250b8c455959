/* todo - messages that have left todo and are not yet handed on: none is forgotten, whatever fails.
 * The memory for what is tried again is the test's, so that there can be none. */
#include "send/todo.h"

#include "keptlog.h"
#include "queuedir.h"
#include "tap.h"

#define ID 5			/* in info/5 */

/* What is tried again: one message at most. */
static struct {
	bool full;		/* no memory */
	bool used;
	struct heap_item item;
} again;

int
heap_set(struct heap *h, uint64_t key, int64_t due)
{
	(void)h;
	if (again.full)
		return -1;
	again.used = true;
	again.item = (struct heap_item){ due, key };
	return 0;
}

bool
heap_remove(struct heap *h, uint64_t key)
{
	bool was = again.used && again.item.key == key;

	(void)h;
	again.used = again.used && !was;
	return was;
}

bool
heap_get(const struct heap *h, uint64_t key, int64_t *due)
{
	(void)h;
	*due = again.item.due;
	return again.used && again.item.key == key;
}

bool
heap_first(const struct heap *h, struct heap_item *item)
{
	(void)h;
	*item = again.item;
	return again.used;
}

void
heap_free(struct heap *h)
{
	(void)h;
}

struct fixture {
	struct qlayout q;
	struct activity log;
	struct buf said;
	struct cleaner clean;
	struct todo todo;
	struct waitset wait;
	uint64_t handed_on;
	unsigned channels;
};

static bool
preprocessed(void *arg, uint64_t id, unsigned channels)
{
	struct fixture *f = arg;

	f->handed_on = id;
	f->channels = channels;
	return true;
}

/* Running, with nothing to do. */
static void
prepare(struct fixture *f)
{
	*f = (struct fixture){ .todo = TODO_CLOSED };
	f->log = (struct activity){ .emit = keptlog_add, .arg = &f->said, .tag = "" };
	f->todo.q = f->todo.splitter.q = &f->q;
	f->todo.log = f->todo.splitter.log = &f->log;
	f->todo.clean = &f->clean;
	f->todo.preprocessed = preprocessed;
	f->todo.arg = f;
	todo_init(&f->todo);
	f->todo.started = true;
	f->todo.next_scan = INT64_MAX;
	again.full = again.used = false;
	waitset_begin(&f->wait);
}

static void
finish(struct fixture *f)
{
	todo_free(&f->todo);
	buf_free(&f->log.line);
	buf_free(&f->said);
}

/* qmail-clean could not make durable that it is gone. */
static void
test_refused(struct tap *t)
{
	struct fixture f;

	prepare(&f);
	f.todo.n = 1;
	f.todo.batch[0].split.id = ID;
	f.todo.batch[0].state = TODO_ASKED;
	again.full = true;
	f.clean.owner[CLEAN_TODO].answered(f.clean.owner[CLEAN_TODO].arg, ID, false);
	todo_step(&f.todo, &f.wait);
	ok(t, !again.used && f.todo.n == 1, "no memory: it stays in the batch");
	again.full = false;
	todo_step(&f.todo, &f.wait);
	ok(t, again.used && again.item.key == ID && f.todo.n == 0,
	    "memory: it will be tried again");
	ok(t, f.handed_on == 0, "it is not handed on");
	finish(&f);
}

/* It has left todo; whether it is deliverable cannot be seen for a time. */
static void
test_unseen(struct tap *t)
{
	struct fixture f;

	prepare(&f);
	if (rename("info/5", "info/x5") == -1 || symlink("5", "info/5") == -1)
		abort();
	again.used = true;
	again.item = (struct heap_item){ 0, ID };
	todo_step(&f.todo, &f.wait);
	ok(t, again.used && again.item.key == ID && again.item.due > 0 && f.todo.n == 0,
	    "trouble: it will be tried again");
	again.item.due = 0;
	again.full = true;
	todo_step(&f.todo, &f.wait);
	ok(t, !again.used && f.todo.n == 1, "no memory for that: it stays in the batch");
	again.full = false;
	todo_step(&f.todo, &f.wait);
	ok(t, again.used && f.handed_on == 0, "memory: it will be tried again");
	(void)unlink("info/5");
	if (rename("info/x5", "info/5") == -1)
		abort();
	queuedir_put("info/5/5", "Fs@x", 5);
	queuedir_put("remote/5/5", "Tr@y", 5);
	again.item.due = 0;
	todo_step(&f.todo, &f.wait);
	ok(t, f.handed_on == ID && f.channels == 1U << CHANNEL_REMOTE, "then it is handed on");
	ok(t, !again.used && f.todo.n == 0, "once");
	(void)unlink("info/5/5");
	(void)unlink("remote/5/5");
	again.used = true;
	f.handed_on = 0;
	todo_step(&f.todo, &f.wait);
	ok(t, f.handed_on == 0 && !again.used && f.todo.n == 0, "what is not there is forgotten");
	finish(&f);
}

int
main(void)
{
	struct tap t = { 0 };
	char top[64];

	queuedir_enter(top, false);
	test_refused(&t);
	test_unseen(&t);
	queuedir_leave(top);
	return done(&t);
}
