/* enqueue: S1 to S4, and what is left after each failure. */
#include "queue/enqueue.h"

#include <errno.h>

#include "lib/date.h"
#include "queue/envelope.h"
#include "queuedir.h"
#include "tap.h"

#define GOOD "Fa@b\0Tc@d\0\0"

static struct enqueue
fresh(void)
{
	struct enqueue e = ENQUEUE_EMPTY;

	e.uid = 1000;
	e.pid = 77;
	e.start = date_now();
	if (qlayout_detect(&e.layout) == -1)
		exit(111);
	return e;
}

static void
is_file(struct tap *t, const char *path, struct span want)
{
	char bytes[4096];
	int fd = queuedir_open(path);
	ssize_t n = io_read(fd, bytes, sizeof bytes);

	(void)close(fd);
	is(t, span_of(bytes, n > 0 ? (size_t)n : 0), want, path);
}

static enum qqcode
message(struct enqueue *e, const char *text)
{
	enum qqcode code;
	int fd;

	queuedir_put("input", text, strlen(text));
	fd = queuedir_open("input");
	code = enqueue_message(e, span_str("Received: x\n"), fd);
	(void)close(fd);
	return code;
}

static enum qqcode
envelope(struct enqueue *e, const char *bytes, size_t n)
{
	enum qqcode code;
	int fd;

	queuedir_put("input", bytes, n);
	fd = queuedir_open("input");
	code = enqueue_envelope(e, fd);
	(void)close(fd);
	return code;
}

/* All but the last step. */
static struct enqueue
ready(void)
{
	struct enqueue e = fresh();

	if (enqueue_reserve(&e) != QQ_OK || message(&e, "hi\n") != QQ_OK ||
	    envelope(&e, GOOD, sizeof GOOD - 1) != QQ_OK)
		exit(111);
	return e;
}

static void
is_empty(struct tap *t, const char *name)
{
	is_num(t, queuedir_count("pid mess intd todo"), 0, name);
}

static void
wipe(void)
{
	if (system("find pid mess intd todo ! -type d -exec rm {} +") != 0)
		exit(111);
}

static void
test_good(struct tap *t)
{
	static const char want[] = "u1000\0p77\0Fa@b\0Tc@d";
	struct enqueue e = fresh();
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	ok(t, enqueue_reserve(&e) == QQ_OK, "reserved");
	ok(t, stat(qlayout_path(&e.layout, path, Q_MESS, e.id), &st) == 0 && st.st_ino == e.id,
	    "the name is the inode");
	is_num(t, queuedir_count("pid"), 0, "no name left in pid");
	ok(t, message(&e, "Subject: y\n\nhello\n") == QQ_OK, "message");
	is_file(t, path, span_str("Received: x\nSubject: y\n\nhello\n"));
	ok(t, envelope(&e, GOOD "Tmore\0", sizeof GOOD + 5) == QQ_OK, "envelope");
	is_file(t, qlayout_path(&e.layout, path, Q_INTD, e.id), span_of(want, sizeof want));
	is_num(t, queuedir_count("todo"), 0, "not queued yet");
	ok(t, enqueue_publish(&e) == QQ_OK, "queued");
	is_file(t, qlayout_path(&e.layout, path, Q_TODO, e.id), span_of(want, sizeof want));
	(void)enqueue_abandon(&e, QQ_OK);
	is_num(t, queuedir_count("mess intd todo"), 3, "and stays");
	wipe();
}

struct row {
	const char *name, *bytes;
	size_t n;
	enum qqcode code;
};

#define ROW(name, bytes, code) { name, bytes, sizeof(bytes) - 1, code }

static const struct row envelopes[] = {
	ROW("no recipients", "Fa\0\0", QQ_OK),
	ROW("all empty", "F\0T\0\0", QQ_OK),
	ROW("nothing", "", QQ_READ),
	ROW("no end", "Fa\0Tb\0", QQ_READ),
	ROW("cut in a sender", "Fa", QQ_READ),
	ROW("cut in a recipient", "Fa\0Tb", QQ_READ),
	ROW("recipient first", "Tb\0Fa\0\0", QQ_FORMAT),
	ROW("end first", "\0", QQ_FORMAT),
	ROW("two senders", "Fa\0Fb\0\0", QQ_FORMAT),
	ROW("unknown record", "Fa\0Xb\0\0", QQ_FORMAT),
};

static void
test_envelope(struct tap *t, const char *name, const char *bytes, size_t n, enum qqcode want)
{
	struct enqueue e = fresh();
	enum qqcode code = QQ_OK;

	if (enqueue_reserve(&e) != QQ_OK || message(&e, "") != QQ_OK)
		exit(111);
	code = envelope(&e, bytes, n);
	ok(t, code == want, "%s: %d", name, (int)want);
	(void)enqueue_abandon(&e, code == QQ_OK ? QQ_READ : code);
	is_empty(t, name);
}

static void
test_address_limit(struct tap *t, char type, size_t n, enum qqcode want)
{
	struct buf bytes = { 0 };

	buf_adds(&bytes, "Fa");
	if (type == 'T')
		buf_add(&bytes, "\0T", 2);
	else
		buf_cut(&bytes, 1);
	for (size_t i = 0; i < n; i++)
		buf_addc(&bytes, 'a');
	buf_add(&bytes, "\0", 2);
	test_envelope(t, "long address", bytes.p, bytes.n, want);
	buf_cut(&bytes, bytes.n - 2);
	test_envelope(t, "long address, cut", bytes.p, bytes.n, want == QQ_OK ? QQ_READ : want);
	buf_free(&bytes);
}

static void
test_trouble(struct tap *t)
{
	struct enqueue e = fresh();
	char path[QLAYOUT_PATH_SIZE];
	enum qqcode code;

	(void)rename("pid", "gone");
	ok(t, enqueue_abandon(&e, enqueue_reserve(&e)) == QQ_PID, "no pid directory");
	(void)rename("gone", "pid");
	e = fresh();
	(void)rename("mess", "gone");
	ok(t, enqueue_abandon(&e, enqueue_reserve(&e)) == QQ_MESS, "no mess directory");
	(void)rename("gone", "mess");
	is_empty(t, "nothing left");
	e = fresh();
	ok(t, enqueue_reserve(&e) == QQ_OK, "reserved");
	ok(t, enqueue_message(&e, span_str(""), -1) == QQ_READ, "message that cannot be read");
	(void)enqueue_abandon(&e, QQ_READ);
	is_empty(t, "nothing left");
	e = fresh();
	(void)!enqueue_reserve(&e);
	(void)rename("intd", "gone");
	ok(t, enqueue_abandon(&e, envelope(&e, GOOD, sizeof GOOD - 1)) == QQ_INTD, "no intd");
	(void)rename("gone", "intd");
	is_empty(t, "nothing left");
	e = ready();
	(void)rename("todo", "gone");
	ok(t, enqueue_abandon(&e, enqueue_publish(&e)) == QQ_TODO, "no todo directory");
	(void)rename("gone", "todo");
	is_empty(t, "nothing left");
	e = ready();
	(void)unlink(qlayout_path(&e.layout, path, Q_MESS, e.id));
	ok(t, (code = enqueue_publish(&e)) == QQ_TODO, "message was swept");
	(void)enqueue_abandon(&e, code);
	is_empty(t, "nothing left");
	e = ready();
	(void)unlink(qlayout_path(&e.layout, path, Q_INTD, e.id));
	ok(t, enqueue_abandon(&e, enqueue_publish(&e)) == QQ_TODO, "envelope was swept");
	is_empty(t, "nothing left");
}

static void
test_clock(struct tap *t)
{
	struct enqueue e = ready();

	e.start = date_now() - QLAYOUT_WRITER_MAX_S;
	ok(t, enqueue_abandon(&e, enqueue_publish(&e)) == QQ_TIMEOUT, "after 24 h: too late");
	is_num(t, queuedir_count("mess intd"), 2, "the files are the sweep's");
	is_num(t, queuedir_count("todo"), 0, "not queued");
	wipe();
	e = ready();
	e.start = date_now() - QLAYOUT_WRITER_MAX_S + 5;
	ok(t, enqueue_abandon(&e, enqueue_publish(&e)) == QQ_OK, "just in time");
	wipe();
}

static void
test_link(struct tap *t)
{
	char to[QLAYOUT_PATH_SIZE];
	struct enqueue e = ready();

	queuedir_put(qlayout_path(&e.layout, to, Q_TODO, e.id), "other", 5);
	ok(t, enqueue_abandon(&e, enqueue_publish(&e)) == QQ_TODO, "todo name taken by another");
	is_num(t, queuedir_count("mess intd"), 0, "ours is gone");
	is_file(t, to, span_str("other"));
	wipe();
}

/* Names that older messages left behind, for all numbers the next files can get. */
static int
plant(const char *dir, uint64_t around, bool split)
{
	uint64_t first = around > 200 ? around - 200 : 0;
	char path[QLAYOUT_PATH_SIZE];

	queuedir_put("stale", "", 0);
	for (uint64_t id = first; id < around + 200; id++) {
		if (split)
			(void)snprintf(path, sizeof path, "%s/%ju/%ju", dir,
			    (uintmax_t)(id % QUEUE_SPLIT), (uintmax_t)id);
		else
			(void)snprintf(path, sizeof path, "%s/%ju", dir, (uintmax_t)id);
		if (link("stale", path) == -1)
			exit(111);
	}
	return (int)(around + 200 - first);
}

static uint64_t
next_number(void)
{
	struct stat st;

	queuedir_put("pid/probe", "", 0);
	if (stat("pid/probe", &st) == -1 || unlink("pid/probe") == -1)
		exit(111);
	return st.st_ino;
}

static void
test_stale(struct tap *t, bool big)
{
	struct enqueue e = fresh();
	char path[QLAYOUT_PATH_SIZE];
	int planted;

	(void)plant("todo", next_number(), big);
	ok(t, enqueue_reserve(&e) == QQ_MESS && e.refusals == ENQUEUE_NUMBERS,
	    "old envelopes everywhere: given up");
	(void)enqueue_abandon(&e, QQ_MESS);
	is_num(t, queuedir_count("pid mess"), 0, "nothing left");
	wipe();
	e = fresh();
	planted = plant("mess", next_number(), true);
	ok(t, enqueue_reserve(&e) == QQ_MESS && e.refusals == ENQUEUE_NUMBERS,
	    "old messages everywhere: given up");
	(void)enqueue_abandon(&e, QQ_MESS);
	is_num(t, queuedir_count("pid"), 0, "nothing left");
	is_num(t, queuedir_count("mess"), planted, "the old ones are not touched");
	wipe();
	e = fresh();
	(void)!enqueue_reserve(&e);
	queuedir_put(qlayout_path(&e.layout, path, Q_INTD, e.id), "old", 3);
	ok(t, message(&e, "x") == QQ_OK && envelope(&e, GOOD, sizeof GOOD - 1) == QQ_OK &&
	    enqueue_publish(&e) == QQ_OK, "an old file in intd makes room");
	(void)enqueue_abandon(&e, QQ_OK);
	wipe();
}

static void
test_two_stale(struct tap *t)
{
	uint64_t probe = next_number();
	struct enqueue e = fresh();
	char path[QLAYOUT_PATH_SIZE];

	/* tmpfs counts upwards; elsewhere the first of them may come or not. */
	for (uint64_t id = probe + 1; id <= probe + 2; id++)
		if (link("stale", qlayout_path(&e.layout, path, Q_TODO, id)) == -1)
			exit(111);
	ok(t, enqueue_reserve(&e) == QQ_OK && qlayout_exists(&e.layout, Q_TODO, e.id) == 0,
	    "two old envelopes: another number");
	(void)enqueue_abandon(&e, QQ_READ);
	wipe();
}

int
main(void)
{
	struct tap t = { 0 };
	char top[64];

	for (int big = 0; big < 2; big++) {
		queuedir_enter(top, big);
		test_good(&t);
		for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++)
			test_envelope(&t, envelopes[i].name, envelopes[i].bytes, envelopes[i].n,
			    envelopes[i].code);
		test_trouble(&t);
		test_clock(&t);
		test_link(&t);
		test_stale(&t, big);
		test_two_stale(&t);
		queuedir_leave(top);
	}
	queuedir_enter(top, false);
	for (const char *type = "FT"; *type; type++) {
		test_address_limit(&t, *type, ENVELOPE_ADDRESS_MAX - 1, QQ_OK);
		test_address_limit(&t, *type, ENVELOPE_ADDRESS_MAX, QQ_OK);
		test_address_limit(&t, *type, ENVELOPE_ADDRESS_MAX + 1, QQ_ADDRESS_TOO_LONG);
	}
	queuedir_leave(top);
	return done(&t);
}
