/* split - one message from todo to info, local and remote. */
#include "send/split.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fsops.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "queue/envelope.h"

/* What the log tells about a message. */
struct facts {
	uint64_t size, uid, pid;
	bool has_sender;
};

enum qdir
split_dir(enum split_file f)
{
	static const enum qdir dirs[SPLIT_DIRS] = {
		[SPLIT_LOCAL] = Q_LOCAL, [SPLIT_REMOTE] = Q_REMOTE, [SPLIT_INFO] = Q_INFO,
		[SPLIT_BOUNCE] = Q_BOUNCE
	};

	return dirs[f];
}

static void
warn(const struct splitter *s, const char *text, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	activity_warn(s->log, text, qlayout_path(s->q, path, dir, id), NULL);
}

/* The same for what then happens to every message: a full disk, say. */
static void
warn_of_disk(const struct splitter *s, const char *text, enum split_file f, uint64_t id)
{
	if (activity_may(s->log, CAUSE_DISK))
		warn(s, text, split_dir(f), id);
}

static enum split_status
open_todo(struct splitter *s, uint64_t id, int *fd)
{
	if ((*fd = qlayout_open_read(s->q, Q_TODO, id)) != -1)
		return SPLIT_OK;
	if (errno == ENOENT)
		return SPLIT_GONE;
	warn(s, "unable to open ", Q_TODO, id);
	return SPLIT_FAILED;
}

static enum split_status
stat_message(struct splitter *s, uint64_t id, uint64_t *size)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;
	bool absent;

	if (stat(qlayout_path(s->q, path, Q_MESS, id), &st) == 0) {
		*size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
		return SPLIT_OK;
	}
	absent = errno == ENOENT;
	warn(s, "unable to stat ", Q_MESS, id);
	return absent ? SPLIT_ORPHAN : SPLIT_FAILED;
}

/* -1: logged. */
static int
remove_file(struct splitter *s, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	if (unlink(qlayout_path(s->q, path, dir, id)) == 0 || errno == ENOENT)
		return 0;
	activity_warn(s->log, "unable to unlink ", path, NULL);
	return -1;
}

/* Whatever stands under this number belongs to an earlier attempt, or to a message that is gone. It
 * must not come back after a power cut either, so its directory is synced; even if it was not seen,
 * as nobody synced the removal of what that message had, and another channel's recipients would get
 * the new text.  A directory without changes costs nothing. */
static enum split_status
remove_old(struct splitter *s, const struct split *m)
{
	for (int f = 0; f < SPLIT_DIRS; f++)
		if (remove_file(s, split_dir((enum split_file)f), m->id) == -1)
			return SPLIT_FAILED;
	return SPLIT_OK;
}

/* The writer of a file, which is created for its first record.  NULL: logged. */
static struct io_out *
writer_of(struct splitter *s, struct split *m, enum split_file f)
{
	if (m->fd[f] == -1) {
		if ((m->fd[f] = qlayout_create(s->q, split_dir(f), m->id)) == -1) {
			warn_of_disk(s, "unable to create ", f, m->id);
			return NULL;
		}
		io_out_init(&s->writer[f], m->fd[f], s->out[f], sizeof s->out[f]);
	}
	return &s->writer[f];
}

static enum split_status
add_recipient(struct splitter *s, struct split *m)
{
	struct io_out *out;
	enum channel channel;

	buf_reset(&s->address);
	channel = route_recipient(s->routes, buf_span(&s->record), &s->address);
	if (!buf_ok(&s->address)) {
		activity_memory(s->log);
		return SPLIT_FAILED;
	}
	if (!(out = writer_of(s, m, (enum split_file)channel)))
		return SPLIT_FAILED;
	m->channels |= 1U << channel;
	envelope_put(out, ENVELOPE_RECIPIENT, buf_span(&s->address));
	return SPLIT_OK;
}

static enum split_status
add_sender(struct splitter *s, struct facts *facts)
{
	if (facts->has_sender)
		return SPLIT_OK;	/* readers take the first record only */
	facts->has_sender = true;
	buf_reset(&s->sender);
	buf_addbuf(&s->sender, &s->record);
	if (!buf_ok(&s->sender)) {
		activity_memory(s->log);
		return SPLIT_FAILED;
	}
	envelope_put(&s->writer[SPLIT_INFO], ENVELOPE_SENDER, buf_span(&s->sender));
	return SPLIT_OK;
}

static enum split_status
add_record(struct splitter *s, struct split *m, char type, struct facts *facts)
{
	switch (type) {
	case ENVELOPE_UID:
		(void)!num_parse_u64(s->record.p, s->record.n, UINT64_MAX, &facts->uid);
		return SPLIT_OK;
	case ENVELOPE_PID:
		(void)!num_parse_u64(s->record.p, s->record.n, UINT64_MAX, &facts->pid);
		return SPLIT_OK;
	case ENVELOPE_SENDER:
		return add_sender(s, facts);
	case ENVELOPE_RECIPIENT:
		return add_recipient(s, m);
	default:
		warn(s, "unknown record type in ", Q_TODO, m->id);
		return SPLIT_FAILED;
	}
}

static enum split_status
copy_records(struct splitter *s, int todo, struct split *m, struct facts *facts)
{
	enum split_status status = SPLIT_OK;
	struct io_in in;
	char type;

	io_in_init(&in, todo, s->in, sizeof s->in);
	while (status == SPLIT_OK) {
		enum io_status got = envelope_read(&in, &type, &s->record);

		if (got == IO_EOF && facts->has_sender)
			break;
		if (got == IO_OK) {
			status = add_record(s, m, type, facts);
			continue;
		}
		warn(s, "trouble reading ", Q_TODO, m->id);
		status = SPLIT_FAILED;
	}
	return status;
}

/* Everything is handed to the system, which may begin to write it: then the syncs that follow for
 * the whole batch find most of the work done. */
static enum split_status
flush_files(struct splitter *s, const struct split *m)
{
	for (int f = 0; f < SPLIT_FILES; f++) {
		if (m->fd[f] == -1)
			continue;
		if (io_flush(&s->writer[f]) == -1) {
			warn_of_disk(s, "trouble writing to ", (enum split_file)f, m->id);
			return SPLIT_FAILED;
		}
		sys_start_writeback(m->fd[f]);
	}
	return SPLIT_OK;
}

static void
log_message(struct splitter *s, uint64_t id, const struct facts *facts)
{
	struct buf *line = activity_begin(s->log);

	buf_adds(line, "new msg ");
	buf_addnum(line, id);
	activity_end(s->log);
	line = activity_begin(s->log);
	buf_adds(line, "info msg ");
	buf_addnum(line, id);
	buf_adds(line, ": bytes ");
	buf_addnum(line, facts->size);
	buf_adds(line, " from <");
	log_add_safe(line, buf_span(&s->sender));
	buf_adds(line, "> qp ");
	buf_addnum(line, facts->pid);
	buf_adds(line, " uid ");
	buf_addnum(line, facts->uid);
	activity_end(s->log);
}

static enum split_status
write_files(struct splitter *s, int todo, struct split *m, struct facts *facts)
{
	enum split_status status;

	if (!writer_of(s, m, SPLIT_INFO))
		return SPLIT_FAILED;
	if ((status = copy_records(s, todo, m, facts)) == SPLIT_OK)
		status = flush_files(s, m);
	if (status == SPLIT_OK)
		log_message(s, m->id, facts);
	else
		split_discard(s, m);
	return status;
}

enum split_status
split_message(struct splitter *s, uint64_t id, struct split *m)
{
	struct facts facts = { .has_sender = false };
	enum split_status status;
	int todo;

	*m = (struct split){ .id = id, .fd = { -1, -1, -1 } };
	if ((status = open_todo(s, id, &todo)) != SPLIT_OK)
		return status;
	status = stat_message(s, id, &facts.size);
	if (status == SPLIT_OK)
		status = remove_old(s, m);
	if (status == SPLIT_OK)
		status = write_files(s, todo, m, &facts);
	(void)close(todo);	/* opened for reading: nothing to lose */
	return status;
}

size_t
split_files(const struct split *m, struct syncset_item *files)
{
	size_t n = 0;

	for (int f = 0; f < SPLIT_FILES; f++)
		if (m->fd[f] != -1)
			files[n++] = (struct syncset_item){ .fd = m->fd[f] };
	return n;
}

int
split_close(struct splitter *s, struct split *m, const struct syncset_item **result)
{
	int failed = SPLIT_FILES;

	for (int f = 0; f < SPLIT_FILES; f++) {
		if (m->fd[f] == -1)
			continue;
		if (close(m->fd[f]) == -1 || (*result)->error)
			failed = f;
		m->fd[f] = -1;
		++*result;
	}
	if (failed == SPLIT_FILES)
		return 0;
	warn_of_disk(s, "trouble fsyncing ", (enum split_file)failed, m->id);
	split_discard(s, m);
	return -1;
}

void
split_discard(struct splitter *s, struct split *m)
{
	static const enum qdir made[] = { Q_LOCAL, Q_REMOTE, Q_INFO };

	for (int f = 0; f < SPLIT_FILES; f++) {
		if (m->fd[f] != -1)
			(void)close(m->fd[f]);	/* it is removed */
		m->fd[f] = -1;
	}
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		(void)qlayout_remove(s->q, made[i], m->id);	/* else the next try does */
}
