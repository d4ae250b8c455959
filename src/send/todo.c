/* todo - preprocessing in batches. */
#include "send/todo.h"

#include <errno.h>

#include "lib/conf.h"
#include "lib/deadline.h"
#include "lib/journal.h"
#include "lib/span.h"

/* false: no memory.  The next scan finds it again if it is still in todo. */
static bool
retry_at(struct todo *t, uint64_t id, int64_t when)
{
	if (heap_set(&t->retry, id, when) == 0)
		return true;
	activity_memory(t->log);
	return false;
}

static bool
retry_later(struct todo *t, uint64_t id)
{
	return retry_at(t, id, deadline_after(TODO_RETRY_MS));
}

/* qmail-clean answered for an item of the batch. */
static void
on_answer(void *arg, uint64_t id, bool removed)
{
	struct todo *t = arg;

	for (size_t i = 0; i < t->n; i++)
		if (t->batch[i].state == TODO_ASKED && t->batch[i].split.id == id) {
			t->batch[i].state = removed ? TODO_REMOVED : TODO_AGAIN;
			return;
		}
}

void
todo_init(struct todo *t)
{
	t->trigger = (struct trigger){ -1, -1 };
	t->disk = (struct disk)DISK_CLOSED;
	t->clean->owner[CLEAN_TODO].answered = on_answer;
	t->clean->owner[CLEAN_TODO].arg = t;
}

void
todo_start(struct todo *t)
{
	t->started = true;
	disk_open(&t->disk);
	t->next_scan = deadline_now();
}

void
todo_stop(struct todo *t)
{
	t->stopped = true;
	if (t->scanning)
		qlayout_scan_stop(&t->scan);
	t->scanning = false;
}

void
todo_free(struct todo *t)
{
	todo_stop(t);
	trigger_close(&t->trigger);
	disk_close(&t->disk);
	heap_free(&t->retry);
	buf_free(&t->splitter.record);
	buf_free(&t->splitter.address);
	buf_free(&t->splitter.sender);
}

/* ---- waiting ---- */

static bool
retry_due(const struct todo *t, uint64_t *id)
{
	struct heap_item item;

	if (!heap_first(&t->retry, &item) || item.due > deadline_now())
		return false;
	*id = item.key;
	return true;
}

static bool
batch_waits_for_memory(const struct todo *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->batch[i].state == TODO_REMOVED || t->batch[i].state == TODO_AGAIN)
			return true;
	return false;
}

void
todo_watch(const struct todo *t, struct waitset *w)
{
	struct heap_item retry;
	uint64_t id;

	if (!t->started)
		return;
	disk_watch(&t->disk, w);
	if (t->n) {
		/* Answers are the cleaner's business. */
		if (batch_waits_for_memory(t))
			waitset_until(w, deadline_after(TODO_MEMORY_MS));
		return;
	}
	if (t->stopped)
		return;
	if (t->scanning || retry_due(t, &id))
		waitset_now(w);
	if (t->scanning)
		return;
	if (deadline_now() < t->rest_until)
		waitset_until(w, t->rest_until);
	else
		waitset_fd(w, t->trigger.read_fd, POLLIN);
	waitset_until(w, t->next_scan);
	if (heap_first(&t->retry, &retry))
		waitset_until(w, retry.due);
}

/* ---- scanning ---- */

static void
scan_start(struct todo *t)
{
	t->next_scan = deadline_after(TODO_RESCAN_MS);
	t->rest_until = deadline_after(TODO_PACE_MS);
	/* First the trigger, then the directory: a pull in between is seen as the next one. */
	if (trigger_reset(&t->trigger) == -1) {
		if (activity_may(t->log, CAUSE_TRIGGER))
			activity_warn(t->log, "unable to open ", QLAYOUT_TRIGGER, NULL);
		t->next_scan = deadline_after(TODO_TROUBLE_MS);
	}
	qlayout_scan_start(&t->scan, t->q, Q_TODO);
	t->scanning = true;
}

static bool
scan_next(struct todo *t, uint64_t *id)
{
	if (!t->scanning)
		return false;
	if (qlayout_scan_next(&t->scan, id) == 1)
		return true;
	t->scanning = false;
	if (t->in_vain)
		disk_want(&t->disk);
	if (t->scan.failed) {
		activity_opendir(t->log, t->scan.failed_dir);
		t->next_scan = deadline_after(TODO_TROUBLE_MS);
	}
	return false;
}

/* What is due for another try, then what the scan finds and is not waiting for one. */
static bool
next_id(struct todo *t, uint64_t *id)
{
	int64_t due;

	if (retry_due(t, id)) {
		(void)heap_remove(&t->retry, *id);
		return true;
	}
	while (scan_next(t, id))
		if (!heap_get(&t->retry, *id, &due)) {
			t->in_vain = false;
			return true;
		}
	return false;
}

/* ---- a batch ---- */

/* No todo entry.  Perhaps qmail-clean removed it and could not make that durable; then the message
 * is deliverable.  Telling so twice does no harm. */
static void
look_on_disk(const struct todo *t, struct todo_item *item)
{
	int info = qlayout_exists(t->q, Q_INFO, item->split.id);

	item->split.channels = 0;
	for (int c = 0; c < CHANNELS; c++)
		if (qlayout_exists(t->q, split_dir((enum split_file)c), item->split.id) != 0)
			item->split.channels |= 1U << c;
	if (info == -1)
		item->state = TODO_AGAIN;
	else
		item->state = info ? TODO_REMOVED : TODO_FINISHED;
}

static void
add_item(struct todo *t, uint64_t id)
{
	struct todo_item *item = &t->batch[t->n];

	switch (split_message(&t->splitter, id, &item->split)) {
	case SPLIT_OK:
	case SPLIT_ORPHAN:
		item->state = TODO_READY;
		t->n++;
		break;
	case SPLIT_GONE:
		look_on_disk(t, item);
		t->n += item->state != TODO_FINISHED;
		break;
	case SPLIT_FAILED:
		(void)retry_later(t, id);
		break;
	}
}

/* Makes durable that these are in todo: qmail-queue links before it syncs.  Else a power cut could
 * leave what we make of a message, perhaps half of it, without the todo entry that tells so. */
static bool
sync_todo(struct todo *t, const uint64_t *ids, size_t n)
{
	char dir[QLAYOUT_PATH_SIZE];
	bool synced[QUEUE_SPLIT] = { false };

	for (size_t i = 0; i < n && !t->q->one_journal; i++) {
		uint64_t sub = qlayout_is_split(t->q, Q_TODO) ? ids[i] % QUEUE_SPLIT : 0;

		if (!synced[sub] && qlayout_sync_dir(t->q, Q_TODO, ids[i]) == -1) {
			activity_warn(t->log, "trouble fsyncing ",
			    qlayout_dir_of(t->q, dir, Q_TODO, ids[i]), NULL);
			return false;
		}
		synced[sub] = true;
	}
	return true;
}

static void
gather(struct todo *t)
{
	int64_t until = deadline_after(TODO_BATCH_MS);
	uint64_t ids[TODO_BATCH];
	size_t n = 0;
	bool good;

	while (n < TODO_BATCH && next_id(t, &ids[n]))
		n++;
	good = sync_todo(t, ids, n);
	for (size_t i = 0; i < n; i++)
		if (!good)
			(void)retry_later(t, ids[i]);
		else if (i == 0 || deadline_now() < until)
			add_item(t, ids[i]);
		else
			(void)retry_at(t, ids[i], until);	/* with the next batch */
}

static void
fail_item(struct todo *t, struct todo_item *item)
{
	split_discard(&t->splitter, &item->split);
	(void)retry_later(t, item->split.id);
	item->state = TODO_FINISHED;
}

static bool
same_directory(const struct todo *t, enum split_file f, size_t i, size_t k)
{
	char a[QLAYOUT_PATH_SIZE], b[QLAYOUT_PATH_SIZE];

	return t->batch[i].state == TODO_READY && t->batch[k].state == TODO_READY &&
	    span_eq(span_str(qlayout_dir_of(t->q, a, split_dir(f), t->batch[i].split.id)),
	    span_str(qlayout_dir_of(t->q, b, split_dir(f), t->batch[k].split.id)));
}

static void
fail_directory(struct todo *t, enum split_file f, size_t first)
{
	char dir[QLAYOUT_PATH_SIZE];

	(void)qlayout_dir_of(t->q, dir, split_dir(f), t->batch[first].split.id);
	activity_warn(t->log, "trouble fsyncing ", dir, NULL);
	for (size_t i = first + 1; i < t->n; i++)
		if (same_directory(t, f, first, i))
			fail_item(t, &t->batch[i]);
	fail_item(t, &t->batch[first]);
}

/* Syncs each directory of one kind in which the batch has a name, or has none any more, once. */
static void
sync_directories(struct todo *t, enum split_file f)
{
	for (size_t i = 0; i < t->n; i++) {
		bool synced = false;

		for (size_t k = 0; k < i && !synced; k++)
			synced = same_directory(t, f, i, k);
		if (t->batch[i].state == TODO_READY && !synced &&
		    qlayout_sync_dir(t->q, split_dir(f), t->batch[i].split.id) == -1)
			fail_directory(t, f, i);
	}
}

/* All files of the batch at once; results go to their own messages. */
static void
settle_files(const struct todo *t, struct syncset_item *files, size_t n)
{
	if (!t->q->one_journal) {
		(void)syncset_run(files, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		files[i].error = journal_settle(files[i].fd, true) == -1 ? errno : 0;
}

static void
sync_files(struct todo *t)
{
	struct syncset_item files[TODO_BATCH * SPLIT_FILES];
	const struct syncset_item *result = files;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->batch[i].state == TODO_READY)
			n += split_files(&t->batch[i].split, files + n);
	settle_files(t, files, n);
	for (size_t i = 0; i < t->n; i++) {
		struct todo_item *item = &t->batch[i];

		if (item->state == TODO_READY &&
		    split_close(&t->splitter, &item->split, &result) == -1)
			fail_item(t, item);
	}
}

static void
sync_batch(struct todo *t)
{
	sync_files(t);
	for (int f = 0; f < SPLIT_DIRS && !t->q->one_journal; f++)
		sync_directories(t, (enum split_file)f);
	/* From here on the messages of the batch are safe without their todo entries. */
}

static void
ask_for_removal(struct todo *t)
{
	for (size_t i = 0; i < t->n && cleaner_room(t->clean); i++)
		if (t->batch[i].state == TODO_READY) {
			cleaner_ask(t->clean, CLEAN_TODO, t->batch[i].split.id);
			t->batch[i].state = TODO_ASKED;
		}
}

/* Hands on what qmail-clean has confirmed; forgets the batch when nothing of it is left. */
static void
report(struct todo *t)
{
	size_t left = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct todo_item *item = &t->batch[i];

		/* Garbage is handed on as well: without info nothing becomes of it. */
		if (item->state == TODO_REMOVED &&
		    t->preprocessed(t->arg, item->split.id, item->split.channels))
			item->state = TODO_FINISHED;
		/* It may have left todo already, so no scan would find it. */
		if (item->state == TODO_AGAIN && retry_later(t, item->split.id))
			item->state = TODO_FINISHED;
		left += item->state != TODO_FINISHED;
	}
	if (!left)
		t->n = 0;
}

void
todo_step(struct todo *t, const struct waitset *w)
{
	bool pulled = waitset_ready(w, t->trigger.read_fd, POLLIN);
	uint64_t id;

	if (!t->started)
		return;
	if (!t->n && !t->stopped) {
		if (!t->scanning && (pulled || deadline_now() >= t->next_scan)) {
			scan_start(t);
			t->in_vain = pulled;
		}
		if (t->scanning || retry_due(t, &id)) {
			gather(t);
			sync_batch(t);
		}
	}
	ask_for_removal(t);
	report(t);
	disk_step(&t->disk, w, t->q, t->log);
}
