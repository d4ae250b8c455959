/* cleanup - carries out the requests of qmail-clean, a batch at a time.
 *
 * On disk first: that a message has left todo and intd, before qmail-send hears of it (it would
 * deliver the message again after a power cut) and before its text and with it its number goes (an
 * old envelope would get the next message's text).  So each batch is: names in intd and todo, one
 * sync per directory, names in mess.  The last need no sync.  Where a journal keeps the order, a
 * sync of todo, which each request changes last, makes the rest durable as well. */
#include "queue/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/lock.h"

#define PREFIX_LEN 5		/* `foop/`, `todo/` */

/* `20/457` of a queue whose todo is split; plain numbers are fine as well. */
static struct span
strip_sub(const struct qlayout *q, struct span name)
{
	size_t slash = span_chr(name, '/');
	uint64_t sub, id;

	if (!qlayout_is_split(q, Q_TODO) || slash == name.n)
		return name;
	if (!qlayout_parse_id(span_head(name, slash), &sub) ||
	    !qlayout_parse_id(span_tail(name, slash + 1), &id) || sub != id % QUEUE_SPLIT)
		return span_of(NULL, 0);
	return span_tail(name, slash + 1);
}

enum cleanup_kind
cleanup_parse(const struct qlayout *q, struct span request, uint64_t *id)
{
	struct span name = span_tail(request, PREFIX_LEN);
	enum cleanup_kind kind = CLEANUP_BAD;

	if (request.n + 1 < CLEANUP_REQUEST_MIN || request.n + 1 > CLEANUP_REQUEST_MAX)
		return CLEANUP_BAD;
	if (span_starts(request, span_str("foop/"))) {
		kind = CLEANUP_FOOP;
	} else if (span_starts(request, span_str("todo/"))) {
		kind = CLEANUP_TODO;
		name = strip_sub(q, name);
	}
	return qlayout_parse_id(name, id) ? kind : CLEANUP_BAD;
}

void
cleanup_add(struct cleanup *c, struct span request)
{
	struct cleanup_item *item = &c->items[c->n++];

	*item = (struct cleanup_item){ .answer = '+' };
	item->kind = cleanup_parse(&c->layout, request, &item->id);
	if (item->kind == CLEANUP_BAD)
		item->answer = 'x';
}

/* Which of the flags stands for the directory that holds this file. */
static bool *
flag(const struct cleanup *c, bool *flags, enum qdir dir, uint64_t id)
{
	return &flags[qlayout_is_split(&c->layout, dir) ? id % QUEUE_SPLIT : 0];
}

/* Removes a name in intd or todo. */
static bool
remove_name(struct cleanup *c, enum qdir dir, uint64_t id)
{
	*flag(c, dir == Q_INTD ? c->intd_touched : c->todo_touched, dir, id) = true;
	return qlayout_remove(&c->layout, dir, id) == 0;
}

/* Looked at before each removal: between two there may be a sync, which takes its time. */
static bool
is_void(const struct cleanup *c)
{
	return c->answers_fd != -1 && io_reader_gone(c->answers_fd);
}

static void
remove_envelope(struct cleanup *c, struct cleanup_item *item)
{
	bool ok = !is_void(c);

	if (ok && item->kind == CLEANUP_TODO) {
		/* Even if somebody else removed them: is that on disk? */
		ok = remove_name(c, Q_INTD, item->id) && remove_name(c, Q_TODO, item->id);
	} else if (ok && item->kind == CLEANUP_FOOP) {
		/* Usually gone long ago, and synced then. */
		if (qlayout_exists(&c->layout, Q_INTD, item->id) != 0)
			ok = remove_name(c, Q_INTD, item->id);
		/* Without its name in intd it cannot be linked to todo any more; is it there? */
		ok = ok && qlayout_exists(&c->layout, Q_TODO, item->id) == 0;
	}
	if (!ok && item->answer == '+')
		item->answer = '!';
}

static void
sync_touched(struct cleanup *c, enum qdir dir, bool *touched, bool *failed)
{
	for (uint64_t sub = 0; sub < QUEUE_SPLIT; sub++)
		failed[sub] = touched[sub] && qlayout_sync_dir(&c->layout, dir, sub) == -1;
}

static void
settle(struct cleanup *c, struct cleanup_item *item)
{
	if (item->answer != '+')
		return;
	if (*flag(c, c->intd_failed, Q_INTD, item->id) ||
	    (item->kind == CLEANUP_TODO && *flag(c, c->todo_failed, Q_TODO, item->id)) ||
	    (item->kind == CLEANUP_FOOP && is_void(c)) ||
	    (item->kind == CLEANUP_FOOP && qlayout_remove(&c->layout, Q_MESS, item->id) == -1))
		item->answer = '!';
}

/* -1 with errno.  The lock ends with the descriptor. */
static int
open_lock(void)
{
	return open(qlayout_name(Q_MESS), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
work(struct cleanup *c)
{
	memset(c->intd_touched, 0, sizeof c->intd_touched);
	memset(c->todo_touched, 0, sizeof c->todo_touched);
	for (size_t i = 0; i < c->n; i++)
		remove_envelope(c, &c->items[i]);
	if (c->layout.one_journal)
		memset(c->intd_failed, 0, sizeof c->intd_failed);
	else
		sync_touched(c, Q_INTD, c->intd_touched, c->intd_failed);
	sync_touched(c, Q_TODO, c->todo_touched, c->todo_failed);
	for (size_t i = 0; i < c->n; i++)
		settle(c, &c->items[i]);
}

void
cleanup_run(struct cleanup *c)
{
	int lock = open_lock();

	if (lock != -1 && lock_until(lock, true, deadline_after(CLEANUP_LOCK_MS)) == 0)
		work(c);
	else
		for (size_t i = 0; i < c->n; i++)
			if (c->items[i].answer == '+')
				c->items[i].answer = '!';
	if (lock != -1)
		(void)close(lock);
}

int
cleanup_await(void)
{
	int lock = open_lock(), status;

	if (lock == -1)
		return -1;
	status = lock_until(lock, false, deadline_after(CLEANUP_AWAIT_MS));
	(void)close(lock);
	return status;
}
