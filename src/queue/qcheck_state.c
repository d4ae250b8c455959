/* qcheck_state - the state of each message, and the records of its files in that state. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/num.h"
#include "queue/envelope.h"
#include "queue/qcheck.h"

#define BIT(dir) (1u << (dir))
#define HAS(bits, dir) (((bits) & BIT(dir)) != 0)
#define READ_SIZE 8192

static const char first_line[] = "Received: (qmail ";

/* ---- which files there are ---- */

/* In the order in which preprocessing makes and removes them, so that what is seen as S4 or S5 is
 * complete: info before intd before todo. */
static int
snapshot(const struct qcheck *c, uint64_t id, unsigned *bits)
{
	static const enum qdir order[] = { Q_MESS, Q_BOUNCE, Q_LOCAL, Q_REMOTE, Q_INFO, Q_INTD,
		Q_TODO };

	*bits = 0;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		switch (qcheck_exists(c, order[i], id)) {
		case 1:
			*bits |= BIT(order[i]);
			break;
		case 0:
			break;
		default:
			return -1;
		}
	return 0;
}

static enum qcheck_state
state_of(unsigned bits)
{
	const bool leftover = HAS(bits, Q_LOCAL) || HAS(bits, Q_REMOTE) || HAS(bits, Q_BOUNCE);

	if (HAS(bits, Q_TODO))
		return HAS(bits, Q_BOUNCE) ? QSTATE_ILLEGAL : QSTATE_S4;
	if (HAS(bits, Q_INFO))
		return HAS(bits, Q_INTD) ? QSTATE_ILLEGAL : QSTATE_S5;
	if (leftover)
		return QSTATE_ILLEGAL;
	return HAS(bits, Q_INTD) ? QSTATE_S3 : QSTATE_S2;
}

static void
remove_file(struct qcheck *c, enum qdir dir, uint64_t id, const char *why)
{
	enum qcheck_outcome o = QCHECK_OPEN;
	char path[QLAYOUT_PATH_SIZE];

	if (qcheck_may(c, QFIX_REMOVE))
		o = qcheck_outcome(unlink(qlayout_path(&c->q, path, dir, id)));
	(void)qlayout_path(&c->q, path, dir, id);
	qcheck_report(c, QFIX_REMOVE, o, path, "remove it", "%s", why);
}

/* Returns the state that is left after the repair, or would be. */
static enum qcheck_state
illegal(struct qcheck *c, uint64_t id, unsigned bits)
{
	char path[QLAYOUT_PATH_SIZE];

	if (HAS(bits, Q_TODO)) {
		remove_file(c, Q_BOUNCE, id, "is of an earlier message: this one is still in todo");
		return QSTATE_S4;
	}
	if (HAS(bits, Q_INFO)) {
		remove_file(c, Q_INTD, id, "is left over: the message is preprocessed");
		return QSTATE_S5;
	}
	for (enum qdir dir = Q_LOCAL; dir <= Q_BOUNCE; dir++)
		if (HAS(bits, dir))
			qcheck_report(c, QFIX_HAND, QCHECK_OPEN, qlayout_path(&c->q, path, dir, id),
			    "write F, the sender and a NUL into info to have the message "
			    "delivered; else qmail-send will remove it",
			    "has no info and no todo: the sender is lost");
	return QSTATE_ILLEGAL;
}

/* ---- records ---- */

struct records {
	unsigned count[256];		/* by type */
	bool bad_number;		/* a uid or pid that is none */
	bool bad_type;
	bool tail;			/* bytes after the last NUL */
	bool too_long;
	bool gone;			/* not there any more */
};

/* An empty file does, too. */
static bool
ends_with_nul(int fd)
{
	char last = '\0';

	return lseek(fd, -1, SEEK_END) == -1 || io_read(fd, &last, 1) != 1 || last == '\0';
}

/* Types that are not in `types` are bad. */
static int
read_records(struct qcheck *c, enum qdir dir, uint64_t id, const char *types, struct records *r)
{
	char type, chunk[READ_SIZE], path[QLAYOUT_PATH_SIZE];
	struct buf data = { 0 };
	enum io_status status;
	struct io_in in;
	uint64_t number;
	int fd;

	*r = (struct records){ .gone = true };
	if ((fd = qlayout_open_read(&c->q, dir, id)) == -1)
		return errno == ENOENT ? 0 :
		    qcheck_trouble(c, "read", qlayout_path(&c->q, path, dir, id));
	r->gone = false;
	io_in_init(&in, fd, chunk, sizeof chunk);
	while ((status = envelope_read(&in, &type, &data)) == IO_OK) {
		r->count[(unsigned char)type]++;
		r->bad_type |= type == '\0' || !strchr(types, type);
		if ((type == ENVELOPE_UID || type == ENVELOPE_PID) &&
		    num_parse_u64(data.p, data.n, UINT64_MAX, &number) != NUM_OK)
			r->bad_number = true;
	}
	r->tail = status == IO_EOF && !ends_with_nul(fd);
	r->too_long = status == IO_TOOLONG;
	buf_free(&data);
	(void)close(fd);
	if (status == IO_ERROR)
		return qcheck_trouble(c, "read", qlayout_path(&c->q, path, dir, id));
	return 0;
}

/* What is wrong with the records, all of a type that there may be; NULL if nothing is. */
static const char *
common_damage(const struct records *r)
{
	return r->bad_type ? "has a record of unknown type" :
	    r->too_long ? "has a record that is too long" :
	    r->tail ? "ends within a record" : NULL;
}

static const char *
envelope_damage(const struct records *r)
{
	if (r->count[ENVELOPE_SENDER] != 1)
		return "has not exactly one sender";
	if (r->count[ENVELOPE_UID] != 1 || r->count[ENVELOPE_PID] != 1 || r->bad_number)
		return "does not say once who queued the message (u, p)";
	return NULL;
}

static int
examine_records(struct qcheck *c, enum qdir dir, uint64_t id, const char **what)
{
	const char *types = dir == Q_TODO ? "upFT" : dir == Q_INFO ? "F" : "TD";
	struct records r;

	if (read_records(c, dir, id, types, &r) == -1)
		return -1;
	if (r.gone || (*what = common_damage(&r)) != NULL)
		return 0;
	if (dir == Q_TODO)
		*what = envelope_damage(&r);
	else if (dir == Q_INFO && r.count[ENVELOPE_SENDER] != 1)
		*what = "has not exactly one sender";
	else if (dir != Q_INFO && !r.count[ENVELOPE_RECIPIENT] && !r.count[ENVELOPE_DONE])
		*what = "has no recipient";
	return 0;
}

/* ---- texts ---- */

/* The first bytes (up to n) and the last two.  1; 0: gone; -1. */
static int
read_ends(struct qcheck *c, enum qdir dir, uint64_t id, char *head, size_t *n, char last[2])
{
	char path[QLAYOUT_PATH_SIZE];
	int fd = qlayout_open_read(&c->q, dir, id);
	ssize_t got, tail = 0;

	if (fd == -1)
		return errno == ENOENT ? 0 :
		    qcheck_trouble(c, "read", qlayout_path(&c->q, path, dir, id));
	got = io_read(fd, head, *n);
	last[0] = last[1] = '\0';
	if (got >= 0 && lseek(fd, -2, SEEK_END) >= 0)
		tail = io_read(fd, last, 2);
	(void)close(fd);
	if (got == -1 || tail == -1)
		return qcheck_trouble(c, "read", qlayout_path(&c->q, path, dir, id));
	*n = (size_t)got;
	return 1;
}

/* The text of the message, or that of its bounce: a paragraph is written by one call, but may have
 * been cut short by a crash. */
static int
examine_text(struct qcheck *c, enum qdir dir, uint64_t id, const char **what)
{
	char head[sizeof first_line - 1], last[2];
	size_t n = sizeof head;
	int r = read_ends(c, dir, id, head, &n, last);

	if (r != 1)
		return r;
	if (dir == Q_MESS && !span_eq(span_of(head, n), span_str(first_line)))
		*what = "does not begin with the Received line of qmail-queue";
	if (dir == Q_BOUNCE && (n == 0 || head[0] != '<' || last[0] != '\n' || last[1] != '\n'))
		*what = "is not a list of failures with a blank line after each";
	return 0;
}

static int
examine(struct qcheck *c, enum qdir dir, uint64_t id, const char **what)
{
	*what = NULL;
	if (dir == Q_MESS || dir == Q_BOUNCE)
		return examine_text(c, dir, id, what);
	return examine_records(c, dir, id, what);
}

/* A damaged file may be that of the next message with this number, still being written: then the
 * state has changed meanwhile, or is that of a complete message by now. */
static int
check_file(struct qcheck *c, enum qdir dir, uint64_t id, enum qcheck_state state)
{
	char path[QLAYOUT_PATH_SIZE];
	const char *what;
	unsigned bits;

	(void)qlayout_path(&c->q, path, dir, id);
	if (examine(c, dir, id, &what) == -1)
		return -1;
	if (!what)
		return 0;
	if (snapshot(c, id, &bits) == -1)
		return qcheck_trouble(c, "look at the files of", path);
	if (state_of(bits) != state)
		return 0;
	if (examine(c, dir, id, &what) == -1)
		return -1;
	if (what)
		qcheck_report(c, QFIX_HAND, QCHECK_OPEN, path,
		    "restore it from a copy, or remove the message", "%s", what);
	return 0;
}

/* ---- messages ---- */

/* A pair that belongs together has two names, wherever it is seen. */
static void
check_pair(struct qcheck *c, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat todo, intd;

	if (lstat(qlayout_path(&c->q, path, Q_TODO, id), &todo) == 0 &&
	    lstat(qlayout_path(&c->q, path, Q_INTD, id), &intd) == 0 &&
	    todo.st_ino != intd.st_ino && todo.st_nlink == 1 && intd.st_nlink == 1)
		remove_file(c, Q_INTD, id, "is another file than the one in todo");
}

static int
check_contents(struct qcheck *c, uint64_t id, enum qcheck_state state)
{
	static const enum qdir s5[] = { Q_MESS, Q_INFO, Q_LOCAL, Q_REMOTE, Q_BOUNCE };
	int r = 0;

	if (state == QSTATE_S4) {
		check_pair(c, id);
		if (check_file(c, Q_MESS, id, state) == -1)
			return -1;
		return check_file(c, Q_TODO, id, state);
	}
	for (size_t i = 0; r == 0 && state == QSTATE_S5 && i < sizeof s5 / sizeof *s5; i++)
		r = check_file(c, s5[i], id, state);
	return r;
}

static int
look_at_message(struct qcheck *c, const struct qcheck_entry *e)
{
	enum qcheck_state state;
	unsigned bits, again;

	if (e->kind != QNAME_NUMBER || !S_ISREG(e->st.st_mode))
		return 0;
	if (snapshot(c, e->id, &bits) == -1)
		return qcheck_trouble(c, "look at the files of", e->path);
	if ((state = state_of(bits)) == QSTATE_ILLEGAL) {
		if (snapshot(c, e->id, &again) == -1)
			return qcheck_trouble(c, "look at the files of", e->path);
		state = again == bits ? illegal(c, e->id, bits) : state_of(again);
	}
	c->states[state]++;
	return check_contents(c, e->id, state);
}

int
qcheck_states(struct qcheck *c)
{
	return qcheck_walk(c, Q_MESS, look_at_message);
}
