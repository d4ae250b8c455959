/* workers: what they may say, and what is made of it; this test plays the worker. */
#include "spawn/workers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/packet.h"
#include "queue/stayproto.h"
#include "tap.h"

#define BYTES(s) { s, sizeof (s) - 1 }

static const struct row {
	struct span packet;
	enum worker_said said;
	int code;
	bool last;
} rows[] = {
	{ BYTES("did 1+0+0\n"), WORKER_OUTPUT, -1, false },
	{ BYTES("7 0"), WORKER_OUTPUT, -1, false },
	{ BYTES("\0" "7 0"), WORKER_DONE, 0, false },
	{ BYTES("\0" "7 111"), WORKER_DONE, 111, false },
	{ BYTES("\0" "7 255"), WORKER_DONE, 255, false },
	{ BYTES("\0" "7 0 last"), WORKER_DONE, 0, true },
	{ BYTES("\0" "7 -"), WORKER_DECLINED, -1, false },
	{ BYTES("\0" "7 - last"), WORKER_DECLINED, -1, true },
	{ BYTES("\0" "7 256"), WORKER_BROKEN, -1, false },
	{ BYTES("\0" "7 -1"), WORKER_BROKEN, -1, false },
	{ BYTES("\0" "7 0x"), WORKER_BROKEN, -1, false },
	{ BYTES("\0" "7 "), WORKER_BROKEN, -1, false },
	{ BYTES("\0" "7  last"), WORKER_BROKEN, -1, true },
	{ BYTES("\0" "7 last"), WORKER_BROKEN, -1, true },
	{ BYTES("\0" "7"), WORKER_BROKEN, -1, false },
	{ BYTES("\0" "70 0"), WORKER_BROKEN, -1, false },
	{ BYTES("\0" "8 0"), WORKER_BROKEN, -1, false },
	{ BYTES("\0" " 0"), WORKER_BROKEN, -1, false },
	{ BYTES("\0"), WORKER_BROKEN, -1, false },
	{ BYTES("\0\0" "7 0"), WORKER_BROKEN, -1, false },
	{ BYTES("\0" "7 0\0"), WORKER_BROKEN, -1, false },
};

static void
pair(int fds[2])
{
	if (packet_pair(fds) == -1)
		abort();
}

static void
say(int fd, struct span packet)
{
	if (io_write(fd, packet.p, packet.n) != (ssize_t)packet.n)
		abort();
}

static void
test_words(struct tap *t)
{
	struct workers ws = { .probe = { .greeting = STAYPROTO_LOCAL } };
	char chunk[STAYPROTO_PIECE];
	int fds[2];

	pair(fds);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct worker w = { .fd = fds[0], .greeted = true, .number = 7 };
		size_t n = 0;
		int code = -1;

		say(fds[1], rows[i].packet);
		is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), rows[i].said,
		    "what is said");
		is_num(t, code, rows[i].code, "the code");
		ok(t, (w.times == WORKERS_TIMES) == rows[i].last, "whether it was the last one");
		ok(t, n == rows[i].packet.n, "all of it");
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* One says this first, or nothing. */
static enum worker_said
first(struct workers *ws, const char *word)
{
	struct worker w = { .dev = 1, .ino = 2, .number = 1 };
	char chunk[STAYPROTO_PIECE];
	enum worker_said said;
	size_t n;
	int fds[2], code;

	pair(fds);
	w.fd = fds[0];
	if (word)
		say(fds[1], span_str(word));
	(void)close(fds[1]);
	said = worker_read(ws, &w, chunk, sizeof chunk, &n, &code);
	if (said == WORKER_NOTHING)
		said = worker_read(ws, &w, chunk, sizeof chunk, &n, &code);
	(void)close(fds[0]);
	return said;
}

static void
test_greeting(struct tap *t)
{
	char program[] = "/bin/cat";
	struct workers ws = { .fit = true, .probe = { .program = program,
		.greeting = STAYPROTO_LOCAL } };

	is_num(t, first(&ws, "qmail-local 1 1 2"), WORKER_ENDED, "it greets and ends");
	is_num(t, first(&ws, "qmail-local 1 1 3"), WORKER_BROKEN, "it is another file");
	is_num(t, first(&ws, "qmail-remote 2 1 2"), WORKER_BROKEN, "it is another program");
	is_num(t, first(&ws, "did 1+0+0\n"), WORKER_BROKEN, "it does not greet");
	ok(t, ws.fit, "others may stay");
	is_num(t, first(&ws, NULL), WORKER_UNABLE, "it ends before its greeting");
	ok(t, !ws.fit, "no more of them for now");
	is_num(t, first(&ws, NULL), WORKER_UNABLE, "so does another one");
	is_num(t, ws.probe.rest_ms, RESIDENT_REST_MS, "which makes the rest no longer");
}

/* It has been sent its delivery, says this, and ends. */
static void
end_unread(struct tap *t, struct workers *ws, struct worker *w, const char *word)
{
	int fds[2], message = open("/dev/null", O_RDONLY | O_CLOEXEC);

	pair(fds);
	w->fd = fds[0];
	ok(t, packet_send(fds[0], span_str("1"), &message, 1) == 0, "a delivery is sent");
	if (word)
		say(fds[1], span_str(word));
	(void)close(fds[1]);
	(void)close(message);
	ws->fit = true;
}

static void
test_unread(struct tap *t)
{
	char program[] = "/bin/cat";
	struct workers ws = { .probe = { .program = program, .greeting = STAYPROTO_REMOTE } };
	struct worker w = { .dev = 1, .ino = 2, .number = 1 };
	char chunk[STAYPROTO_PIECE];
	size_t n;
	int code;

	end_unread(t, &ws, &w, "qmail-remote 2 1 2");
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_NOTHING,
	    "it has greeted");
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_UNABLE,
	    "and has ended before it read of its delivery");
	ok(t, ws.fit, "which is no reason for others");
	(void)close(w.fd);
	w = (struct worker){ .greeted = true, .number = 1 };
	end_unread(t, &ws, &w, NULL);
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_UNABLE,
	    "so has one that has greeted long ago");
	(void)close(w.fd);
	w = (struct worker){ .greeted = true, .number = 1 };
	end_unread(t, &ws, &w, "did");
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_OUTPUT,
	    "one that says something of it");
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_ENDED,
	    "is not believed that it knows nothing of it");
	(void)close(w.fd);
	w = (struct worker){ .number = 1 };
	end_unread(t, &ws, &w, NULL);
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_UNABLE,
	    "and one that could not greet");
	ok(t, !ws.fit, "which is");
	(void)close(w.fd);
}

/* Those of this user end before they have greeted. */
static void
test_users(struct tap *t)
{
	const struct proc_cred joe = { 5001, 5001 }, ann = { 5002, 5002 };
	struct workers ws = { .probe = { .greeting = STAYPROTO_LOCAL }, .switches = true };

	for (unsigned i = 0; i < DECLINERS_TIMES; i++) {
		struct worker w = { .cred = joe, .number = 1 };
		char chunk[STAYPROTO_PIECE];
		size_t n;
		int code;

		ok(t, !decliners_has(&ws.decliners, &joe), "one more is tried");
		end_unread(t, &ws, &w, NULL);
		is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_UNABLE,
		    "it ends before its greeting");
		(void)close(w.fd);
	}
	ok(t, decliners_has(&ws.decliners, &joe), "no more for this user");
	ok(t, ws.fit && !decliners_has(&ws.decliners, &ann), "others have theirs");
}

/* Between the look at the file and its start another one takes its place. */
static void
test_replaced(struct tap *t)
{
	char program[] = "/bin/cat", greeting[PACKET_GREETING_MAX], chunk[STAYPROTO_PIECE];
	struct workers ws = { .fit = true, .probe = { .program = program,
		.greeting = STAYPROTO_LOCAL } };
	struct worker w = { .dev = 1, .ino = 2, .number = 1 };
	struct filemark now;
	size_t n;
	int fds[2], code;

	filemark_take(&now, program);
	(void)snprintf(greeting, sizeof greeting, STAYPROTO_LOCAL " %llu %llu",
	    (unsigned long long)now.dev, (unsigned long long)now.ino);
	pair(fds);
	w.fd = fds[0];
	say(fds[1], span_str(greeting));
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_NOTHING,
	    "it is the file that is there now");
	ok(t, w.greeted, "that is a greeting");
	workers_keep(&ws, &w);
	is_num(t, (long long)ws.n_idle, 0, "but nobody knows whether it can stay");
	(void)close(fds[1]);
	pair(fds);
	w = (struct worker){ .fd = fds[0], .dev = 1, .ino = 2, .number = 1 };
	program[0] = '\0';
	say(fds[1], span_str(greeting));
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_BROKEN,
	    "there is no file now");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* What another program in its place writes is no report of ours; this one repeats what it
 * is sent. */
static void
test_other_program(struct tap *t)
{
	char program[] = "/bin/cat", argument[] = "-";
	struct workers ws = { .probe = { .program = program, .argument = argument,
		.greeting = STAYPROTO_REMOTE }, .fit = true };
	char chunk[STAYPROTO_PIECE];
	struct worker w;
	size_t n;
	int code, message = open("/dev/null", O_RDONLY | O_CLOEXEC);

	filemark_take(&ws.file, program);
	ok(t, workers_hand(&ws, NULL, span_of("a\0b\0c", 6), message, &w), "it is started");
	(void)alarm(60);
	is_num(t, worker_read(&ws, &w, chunk, sizeof chunk, &n, &code), WORKER_BROKEN,
	    "it writes to its socket only");
	(void)alarm(0);
	(void)close(w.fd);
	(void)close(message);
	workers_end(&ws);
}

/* How many wait, by the numbers of their users. */
static void
keep(struct workers *ws, uid_t uid, unsigned times, int fds[2])
{
	struct worker w = { .cred = { uid, uid }, .times = times };

	pair(fds);
	w.fd = fds[0];
	w.pid = (pid_t)uid;
	workers_keep(ws, &w);
}

static bool
is_open(int other_end)
{
	char c;

	return io_wait_readable(other_end, 0) != IO_OK || io_read(other_end, &c, 1) != 0;
}

static void
test_keeping(struct tap *t)
{
	struct workers ws = { .fit = true };
	int fds[WORKERS_IDLE_MAX + 1][2], done[2];

	for (size_t i = 0; i < WORKERS_IDLE_MAX; i++)
		keep(&ws, (uid_t)i + 1, 1, fds[i]);
	ok(t, ws.n_idle == WORKERS_IDLE_MAX && is_open(fds[0][1]), "as many as may wait");
	keep(&ws, 1000, 1, fds[WORKERS_IDLE_MAX]);
	ok(t, ws.n_idle == WORKERS_IDLE_MAX && !is_open(fds[0][1]) && is_open(fds[1][1]),
	    "one more: the oldest is let go");
	keep(&ws, 2000, WORKERS_TIMES, done);
	ok(t, ws.n_idle == WORKERS_IDLE_MAX && !is_open(done[1]), "one that has done its part");
	workers_reaped(&ws, 5);
	ok(t, ws.n_idle == WORKERS_IDLE_MAX - 1 && !is_open(fds[4][1]), "one that has ended");
	workers_reaped(&ws, 5);
	ok(t, ws.n_idle == WORKERS_IDLE_MAX - 1, "a process that is none of them");
	pair(done);
	ws.probe = (struct resident){ .state = RESIDENT_STARTED, .pid = 3000, .fd = done[0] };
	workers_reaped(&ws, 3000);
	ok(t, ws.probe.state == RESIDENT_NONE && !is_open(done[1]), "the one that shall show it");
	ok(t, workers_tidy(&ws) > 0 && ws.n_idle == WORKERS_IDLE_MAX - 1, "none is old");
	ws.idle[0].until = ws.idle[1].until = 0;
	ok(t, workers_tidy(&ws) == ws.idle[0].until && ws.n_idle == WORKERS_IDLE_MAX - 3 &&
	    !is_open(fds[1][1]) && !is_open(fds[2][1]) && is_open(fds[3][1]), "two are");
	workers_limit(&ws, 10);
	ok(t, ws.n_idle == 10 && !is_open(fds[3][1]) && is_open(fds[WORKERS_IDLE_MAX][1]),
	    "fewer may wait");
	workers_limit(&ws, 10);
	ok(t, ws.n_idle == 10, "as many as may");
	workers_end(&ws);
	ok(t, ws.n_idle == 0 && !is_open(fds[WORKERS_IDLE_MAX][1]), "the end of all");
}

int
main(void)
{
	struct tap t = { 0 };

	test_words(&t);
	test_greeting(&t);
	test_unread(&t);
	test_users(&t);
	test_replaced(&t);
	test_other_program(&t);
	test_keeping(&t);
	return done(&t);
}
