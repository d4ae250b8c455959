/* qmail-todo - preprocesses messages for qmail-send, so that a storm of new mail cannot hold up
 * deliveries, nor a slow disk the scheduler (qmail-todo(8)).
 *
 * Run by qmail-start as qmails, group qmail, with no arguments.
 *   0  from qmail-send: S start, H read locals and virtualdomains again, X stop
 *   1  to qmail-send: records of send/todolink.h, log lines among them
 *   2  to qmail-clean, 3 from qmail-clean (one of its own)
 * Environment: nothing.  Signals: those sent to the whole group are for qmail-send; ignored.
 * Exit: 0 told to stop; 1 qmail-send is gone; 100 no order to start came; 111 cannot start. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/lock.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "queue/cleanup.h"
#include "send/cleaner.h"
#include "send/controls.h"
#include "send/peers.h"
#include "send/todo.h"
#include "send/todolink.h"

#define CODE_SEND_GONE 1
#define OUT_FULL ((size_t)65536)	/* bytes for qmail-send that stop new batches */
#define OUT_MAX ((size_t)1 << 20)
#define MEMORY_RETRY_MS 1000

enum peer { PEER_IN, PEER_OUT, PEER_CLEAN_TO, PEER_CLEAN_FROM, PEERS };

struct program {
	int peer[PEERS];
	int queue_fd;
	struct qlayout q;
	struct controls controls;
	struct activity log;
	struct cleaner clean;
	struct todo todo;
	struct waitset wait;
	struct buf out;		/* for qmail-send */
	size_t out_at;
	bool stopping, stop_said, send_gone;
};

/* ---- to qmail-send ---- */

/* All or nothing; false: no memory. */
static bool
add_record(struct program *p, char type, struct span text)
{
	char *at;

	if (p->out_at) {
		buf_drop(&p->out, p->out_at);
		p->out_at = 0;
	}
	if (!(at = buf_room(&p->out, text.n + 2))) {
		p->out.failed = p->out.over = false;	/* what is in it is still good */
		return false;
	}
	buf_addc(&p->out, type);
	buf_addspan(&p->out, text);
	buf_addc(&p->out, '\0');
	return true;
}

static void
emit(void *arg, struct span line)
{
	struct program *p = arg;

	if (line.n > TODOLINK_RECORD_MAX - 1)
		line.n = TODOLINK_RECORD_MAX - 1;
	(void)add_record(p, TODOLINK_LOG, line);	/* only a line of the log is lost */
}

static bool
preprocessed(void *arg, uint64_t id, unsigned channels)
{
	static const char letter[] = { TODOLINK_NONE, TODOLINK_LOCAL, TODOLINK_REMOTE,
		TODOLINK_BOTH };
	struct program *p = arg;
	struct buf text = { 0 };
	bool good;

	_Static_assert(CHANNEL_LOCAL == 0 && CHANNEL_REMOTE == 1, "letters in the order of bits");
	buf_addc(&text, letter[channels]);
	buf_addnum(&text, id);
	good = buf_ok(&text) && add_record(p, TODOLINK_DONE, buf_span(&text));
	buf_free(&text);
	return good;
}

static void
write_out(struct program *p)
{
	ssize_t n;

	if (p->out_at == p->out.n)
		return;
	n = io_write(p->peer[PEER_OUT], p->out.p + p->out_at, p->out.n - p->out_at);
	if (n > 0)
		p->out_at += (size_t)n;
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		p->send_gone = true;
	if (p->out_at == p->out.n) {
		buf_reset(&p->out);
		p->out_at = 0;
	}
}

/* ---- from qmail-send ---- */

static void
take_order(struct program *p, char order)
{
	if (order == TODOLINK_HUP) {
		controls_reread(&p->controls, p->queue_fd, &p->log);
	} else if (order == TODOLINK_STOP) {
		p->stopping = true;
		todo_stop(&p->todo);
	} else {
		activity_warn(&p->log, "qmail-send speaks an obscure dialect", NULL, NULL);
	}
}

static void
read_orders(struct program *p)
{
	char orders[64];
	ssize_t n = io_read(p->peer[PEER_IN], orders, sizeof orders);

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK))
		p->send_gone = true;
	for (ssize_t i = 0; i < n; i++)
		take_order(p, orders[i]);
}

/* ---- the loop ---- */

static void
wait_for_work(struct program *p)
{
	struct waitset *w = &p->wait;

	waitset_begin(w);
	waitset_fd(w, p->peer[PEER_IN], POLLIN);
	if (p->out_at < p->out.n)
		waitset_fd(w, p->peer[PEER_OUT], POLLOUT);
	cleaner_watch(&p->clean, w);
	if (p->out.n - p->out_at < OUT_FULL)
		todo_watch(&p->todo, w);
	if (p->stopping && !p->stop_said)
		waitset_until(w, deadline_after(MEMORY_RETRY_MS));
	if (waitset_sleep(w) == -1 && activity_may(&p->log, CAUSE_POLL))
		activity_warn(&p->log, "trouble in select", NULL, NULL);
}

static void
turn(struct program *p)
{
	/* A request has files removed that the successor of a qmail-send that is gone may be about
	 * to list. */
	if (cleaner_has_requests(&p->clean) && io_reader_gone(p->peer[PEER_OUT])) {
		p->send_gone = true;
		return;
	}
	wait_for_work(p);
	if (waitset_ready(&p->wait, p->peer[PEER_IN], POLLIN))
		read_orders(p);
	if (p->send_gone)
		return;	/* a successor may run already: touch nothing more */
	if (!cleaner_step(&p->clean, &p->wait) && !p->stopping) {
		p->stopping = true;
		todo_stop(&p->todo);
	}
	if (p->out.n - p->out_at < OUT_FULL)
		todo_step(&p->todo, &p->wait);
	if (p->stopping && !p->stop_said)
		p->stop_said = add_record(p, TODOLINK_STOPPED, span_of("", 0));
	write_out(p);
}

static int
run(struct program *p)
{
	while (!p->send_gone && !(p->stop_said && p->out_at == p->out.n))
		turn(p);
	return p->send_gone ? CODE_SEND_GONE : CODE_OK;
}

/* ---- starting ---- */

/* Waits for the order to start; nothing is done before, or a message could be scheduled twice. */
static bool
await_start(struct program *p)
{
	char order;

	for (;;) {
		if (io_read(p->peer[PEER_IN], &order, 1) != 1)
			return false;
		if (order == TODOLINK_START)
			return true;
		take_order(p, order);
		if (p->stopping)
			return true;
	}
}

static int
enter_queue(struct program *p)
{
	if (chdir(QMAIL_HOME) == -1 || controls_read(&p->controls) == -1 ||
	    chdir("queue") == -1 || qlayout_detect(&p->q) == -1 || qlayout_verify(&p->q))
		return -1;
	qlayout_detect_journal(&p->q);
	p->queue_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->queue_fd == -1 ? -1 : 0;
}

static int
prepare(struct program *p)
{
	static const int ignored[] = { SIGPIPE, SIGXFSZ, SIGTERM, SIGHUP, SIGALRM, SIGINT };

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		sig_ignore(ignored[i]);
	sig_unblock_all();
	(void)umask(077);
	sandbox_limits();
	peers_raise_limit();
	buf_init(&p->out, OUT_MAX);
	p->log = (struct activity){ .emit = emit, .arg = p, .tag = "qmail-todo: " };
	if (peers_take(p->peer, PEERS) == -1 || enter_queue(p) == -1 ||
	    cleaner_init(&p->clean, p->peer[PEER_CLEAN_TO], p->peer[PEER_CLEAN_FROM], &p->q,
	    &p->log) == -1 || io_nonblock(p->peer[PEER_OUT], true) == -1)
		return -1;
	p->todo.q = p->todo.splitter.q = &p->q;
	p->todo.log = p->todo.splitter.log = &p->log;
	p->todo.clean = &p->clean;
	p->todo.splitter.routes = &p->controls.routes;
	p->todo.preprocessed = preprocessed;
	p->todo.arg = p;
	todo_init(&p->todo);
	return 0;
}

/* A predecessor whose qmail-send was killed ends at once, but not in the middle of a sync.  Its
 * lock on the directory tells when it has; both at work on one message would spoil it.  So would
 * its qmail-clean.  Somebody else's lock is not waited for for ever. */
static int
await_predecessor(struct program *p)
{
	int fd = open(qlayout_name(Q_TODO), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1 && lock_until(fd, false, deadline_after(CLEANUP_AWAIT_MS)) == 0 &&
	    cleanup_await() == 0)
		return 0;			/* the lock is held until we end */
	activity_alert(&p->log, "cannot start: unable to lock queue directory");
	write_out(p);
	return -1;
}

int
main(void)
{
	struct program p = { .send_gone = false };
	int code = CODE_PERM;

	if (prepare(&p) == -1)
		return CODE_TEMP;
	if (await_start(&p)) {
		if (await_predecessor(&p) == -1 || io_nonblock(p.peer[PEER_IN], true) == -1)
			return CODE_TEMP;
		todo_start(&p.todo);
		code = run(&p);
	}
	todo_free(&p.todo);
	controls_free(&p.controls);
	buf_free(&p.out);
	buf_free(&p.log.line);
	return code;
}
