/* qmail-send - the scheduler of the queue: decides what is delivered when, has it delivered by the
 * two spawn daemons, tells senders what failed, and has finished messages removed (qmail-send(8)).
 *
 * Run by qmail-start as qmails, group qmail, with no arguments.
 *   0    activity log, written
 *   1, 2 to qmail-lspawn, from qmail-lspawn
 *   3, 4 to qmail-rspawn, from qmail-rspawn
 *   5, 6 to qmail-clean, from qmail-clean
 *   7, 8 to qmail-todo, from qmail-todo; closed: preprocesses messages itself
 * Environment: QMAILQUEUE and ERROR_FD, for the program that takes bounces (queue/submit.h).
 * Signals: TERM exit as soon as possible, ALRM try everything now, HUP read locals and
 * virtualdomains again.
 * Exit: 0 after TERM or the loss of a peer, so that the supervisor starts all anew; 111 cannot
 * start. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "queue/cleanup.h"
#include "send/peers.h"
#include "send/send.h"

enum peer { PEER_LOG, PEER_LOCAL_TO, PEER_LOCAL_FROM, PEER_REMOTE_TO, PEER_REMOTE_FROM,
	PEER_CLEAN_TO, PEER_CLEAN_FROM, PEER_TODO_TO, PEER_TODO_FROM, PEERS };

#define LOG_BATCH ((size_t)4096)	/* bytes of lines that go out together */

/* Lines leave together before we wait, so that the logger need not wake up for each. */
static void
write_log(void *arg, struct span line)
{
	struct send *s = arg;

	buf_addspan(&s->lines, line);
	if (!buf_ok(&s->lines)) {
		buf_free(&s->lines);
		(void)!io_write_all(s->log_fd, line.p, line.n);
	} else if (s->lines.n >= LOG_BATCH) {
		send_flush_log(s);
	}
}

void
send_flush_log(struct send *s)
{
	if (s->lines.n)	/* without a logger mail goes on */
		(void)!io_write_all(s->log_fd, s->lines.p, s->lines.n);
	buf_reset(&s->lines);
}

static int
cannot_start(struct send *s, const char *why)
{
	struct buf *line = activity_begin(&s->log);

	buf_adds(line, "alert: cannot start: ");
	buf_adds(line, why);
	activity_end(&s->log);
	send_flush_log(s);
	return -1;
}

static int
enter_queue(struct send *s)
{
	const char *why;

	if (chdir(QMAIL_HOME) == -1)
		return cannot_start(s, "unable to switch to home directory");
	if (controls_read(&s->controls) == -1)
		return cannot_start(s, "unable to read controls");
	if (chdir("queue") == -1 ||
	    (s->queue_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    qlayout_detect(&s->q) == -1)
		return cannot_start(s, "unable to switch to queue directory");
	if ((why = qlayout_verify(&s->q)) != NULL)
		return cannot_start(s, why);
	qlayout_detect_journal(&s->q);
	return 0;
}

/* Held as long as we live, so that there is never a second one. */
static int
lock_queue(struct send *s)
{
	s->mutex_fd = open(QLAYOUT_MUTEX, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (s->mutex_fd == -1)
		return cannot_start(s, "unable to open mutex");
	if (sys_flock_try(s->mutex_fd) == -1)
		return cannot_start(s, "qmail-send is already running");
	return 0;
}

/* A predecessor that was killed may have left changes that it had no time to sync.  Others build
 * upon what they see, so it must be on disk first.  Where a journal keeps the order, it is.  And
 * its qmail-clean may be at work. */
static int
settle_queue(struct send *s)
{
	static const enum qdir dirs[] = { Q_TODO, Q_INFO, Q_LOCAL, Q_REMOTE, Q_BOUNCE };

	if (cleanup_await() == -1)
		return cannot_start(s, "unable to lock queue directory");
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs && !s->q.one_journal; i++) {
		uint64_t n = qlayout_is_split(&s->q, dirs[i]) ? QUEUE_SPLIT : 1;

		for (uint64_t sub = 0; sub < n; sub++)
			if (qlayout_sync_dir(&s->q, dirs[i], sub) == -1)
				return cannot_start(s, "unable to sync queue directory");
	}
	return 0;
}

static int
catch_signals(struct send *s)
{
	sig_ignore(SIGPIPE);
	sig_ignore(SIGXFSZ);	/* a limit on file sizes is a full disk */
	sig_default(SIGCHLD);
	if ((s->signal_fd = sig_watch_open()) == -1)
		return cannot_start(s, "unable to watch for signals");
	sig_watch(SIGTERM);
	sig_watch(SIGALRM);
	sig_watch(SIGHUP);
	sig_unblock_all();
	return 0;
}

static int
connect_spawns(struct send *s, const int *peer)
{
	static const int to[CHANNELS] = { PEER_LOCAL_TO, PEER_REMOTE_TO };
	static const int from[CHANNELS] = { PEER_LOCAL_FROM, PEER_REMOTE_FROM };
	size_t remote;

	for (int c = 0; c < CHANNELS; c++)
		if (deliver_init(&s->spawn[c], (enum channel)c, peer[to[c]], peer[from[c]],
		    s->controls.concurrency[c]) == -1)
			return cannot_start(s, "hath the daemon spawn no fire?");
	remote = s->spawn[CHANNEL_REMOTE].concurrency;
	if (hosts_init(&s->hosts, remote, s->controls.hostshare) == -1 ||
	    jobs_init(&s->jobs, s->spawn[CHANNEL_LOCAL].concurrency + remote +
	    (size_t)CHANNELS * JOBS_PASSES + HOSTS_ASIDE) == -1)
		return cannot_start(s, "out of memory");
	return 0;
}

static int
connect_others(struct send *s, const int *peer)
{
	bool todo = peers_is_pipe(peer[PEER_TODO_TO]) && peers_is_pipe(peer[PEER_TODO_FROM]);

	if (cleaner_init(&s->clean, peer[PEER_CLEAN_TO], peer[PEER_CLEAN_FROM], &s->q,
	    &s->log) == -1 ||
	    todolink_init(&s->link, todo ? peer[PEER_TODO_TO] : -1,
	    todo ? peer[PEER_TODO_FROM] : -1, &s->log) == -1)
		return cannot_start(s, "unable to use the pipes to qmail-clean and qmail-todo");
	s->link.preprocessed = s->todo.preprocessed = jobs_preprocessed;
	s->link.arg = s->todo.arg = s;
	s->todo.q = s->todo.splitter.q = s->bounces.q = &s->q;
	s->todo.log = s->todo.splitter.log = s->bounces.log = &s->log;
	s->todo.clean = &s->clean;
	s->todo.splitter.routes = &s->controls.routes;
	s->bounces.spare = &s->spare;
	todo_init(&s->todo);
	spare_claim(&s->spare);
	notice_init(&s->notices);
	return 0;
}

static int
prepare(struct send *s, const int *peer)
{
	if (enter_queue(s) == -1 || catch_signals(s) == -1)
		return -1;
	(void)umask(077);
	if (lock_queue(s) == -1 || settle_queue(s) == -1 || connect_spawns(s, peer) == -1)
		return -1;
	return connect_others(s, peer);
}

static void
free_all(struct send *s)
{
	for (int c = 0; c < CHANNELS; c++)
		deliver_free(&s->spawn[c]);
	hosts_free(&s->hosts);
	jobs_free(&s->jobs);
	sched_free(&s->sched);
	todo_free(&s->todo);
	notice_free(&s->notices);
	controls_free(&s->controls);
	startup_free(&s->startup);
	qlayout_scan_stop(&s->leftovers.scan);
	buf_free(&s->bounces.paragraph);
	buf_free(&s->link.record);
	buf_free(&s->log.line);
	buf_free(&s->lines);
}

int
main(void)
{
	struct send s = { .log_fd = -1, .spare = { -1 }, .todo = TODO_CLOSED };
	int peer[PEERS];

	if (peers_take(peer, PEERS) == -1)
		return CODE_TEMP;
	s.log_fd = peer[PEER_LOG];
	s.log = (struct activity){ .emit = write_log, .arg = &s, .tag = "" };
	sandbox_limits();
	peers_raise_limit();
	if (prepare(&s, peer) == -1)
		return CODE_TEMP;
	deliver_log_status(&s);
	loop_run(&s);
	send_flush_log(&s);
	free_all(&s);
	return CODE_OK;
}
