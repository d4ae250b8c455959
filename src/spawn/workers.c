/* workers - deliveries by programs that stay for the next one. */
#include "spawn/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/packet.h"
#include "lib/siphash.h"
#include "lib/span.h"
#include "lib/sys.h"
#include "queue/stayproto.h"

extern char **environ;

/* Who makes two hosts look the same gains nothing. */
static const unsigned char no_key[SIPHASH_KEY];

/* ---- those that wait ---- */

static void
let_go(const struct worker *w)
{
	(void)close(w->fd);		/* it ends then */
}

static void
take_out(struct workers *ws, size_t at)
{
	ws->n_idle--;
	memmove(ws->idle + at, ws->idle + at + 1, (ws->n_idle - at) * sizeof ws->idle[0]);
}

static void
let_all_go(struct workers *ws)
{
	while (ws->n_idle > 0)
		let_go(&ws->idle[--ws->n_idle]);
}

static bool
suits(const struct workers *ws, const struct worker *idle, const struct proc_cred *cred)
{
	return !ws->switches || (idle->cred.uid == cred->uid && idle->cred.gid == cred->gid);
}

/* The one that has worked last, so that those too many come to their end; or the last that knows
 * the host. */
static bool
take_idle(struct workers *ws, const struct proc_cred *cred, uint64_t host, struct worker *w)
{
	size_t found = 0;		/* its place, from 1 */

	for (size_t i = ws->n_idle; i > 0; i--) {
		if (!suits(ws, &ws->idle[i - 1], cred))
			continue;
		if (!found || ws->idle[i - 1].host == host)
			found = i;
		if (ws->switches || ws->idle[i - 1].host == host)
			break;
	}
	if (!found)
		return false;
	*w = ws->idle[found - 1];
	take_out(ws, found - 1);
	return true;
}

void
workers_limit(struct workers *ws, size_t max)
{
	while (ws->n_idle > max) {
		let_go(&ws->idle[0]);
		take_out(ws, 0);
	}
}

void
workers_keep(struct workers *ws, const struct worker *w)
{
	if (!ws->fit || w->times >= WORKERS_TIMES || w->dev != ws->file.dev ||
	    w->ino != ws->file.ino) {
		let_go(w);
		return;
	}
	workers_limit(ws, WORKERS_IDLE_MAX - 1);
	ws->idle[ws->n_idle] = *w;
	ws->idle[ws->n_idle++].until = deadline_after(WORKERS_IDLE_MS);
}

void
workers_reaped(struct workers *ws, pid_t pid)
{
	const enum resident_state state = ws->probe.state;

	if ((state == RESIDENT_STARTED || state == RESIDENT_READY) && ws->probe.pid == pid)
		resident_leave(&ws->probe);
	for (size_t i = 0; i < ws->n_idle; i++)
		if (ws->idle[i].pid == pid) {
			let_go(&ws->idle[i]);
			take_out(ws, i);
			return;
		}
}

int64_t
workers_tidy(struct workers *ws)
{
	if (ws->n_idle == 0)
		return DEADLINE_NONE;
	while (ws->n_idle > 0 && deadline_poll(ws->idle[0].until) == 0) {
		let_go(&ws->idle[0]);
		take_out(ws, 0);
	}
	return ws->n_idle ? ws->idle[0].until : DEADLINE_NONE;
}

/* ---- starting one ---- */

/* In a child of ours: becomes this user and no other group, turns into the program.  As with a
 * delivery of its own (lchild.c), it does not share our memory. */
static int
become_and_exec(const struct workers *ws, const struct proc_cred *cred, int fd)
{
	char *argv[] = { ws->probe.program, ws->probe.argument, NULL };
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null_fd == -1 || chdir(QMAIL_HOME) == -1 || proc_copy_fd(0, fd) == -1 ||
	    proc_copy_fd(1, null_fd) == -1 || proc_copy_fd(2, null_fd) == -1)
		return CODE_TEMP;
	/* The user may stop it from here on, and those end with their sockets that are let go. */
	sys_close_from(3);
	if (sys_become(cred->uid, cred->gid) == -1)
		return CODE_TEMP;
	proc_exec(argv[0], false, argv, environ);
	return CODE_TEMP;
}

static pid_t
run(const struct workers *ws, const struct proc_cred *cred, int fd)
{
	char *argv[] = { ws->probe.program, ws->probe.argument, NULL };
	const struct proc_spawn spawn = { .argv = argv, .light = true,
		/* What it writes before it greets is not for the reports. */
		.fds = { { 0, fd }, { 1, fd } }, .nfds = 2 };
	pid_t pid;

	if (!ws->switches)
		return proc_spawn(&spawn, NULL);
	if ((pid = proc_fork()) == 0)
		_exit(become_and_exec(ws, cred, fd));
	return pid;
}

static bool
start(const struct workers *ws, const struct proc_cred *cred, struct worker *w)
{
	int fds[2];

	if (packet_pair(fds) == -1)
		return false;
	*w = (struct worker){ .fd = fds[0], .dev = ws->file.dev, .ino = ws->file.ino,
		.pid = run(ws, cred, fds[1]) };
	if (cred)
		w->cred = *cred;
	(void)close(fds[1]);
	if (w->pid == -1)
		(void)close(w->fd);
	return w->pid != -1;
}

/* Has the program shown that it stays?  One that has is asked again when it is another. */
static bool
is_fit(struct workers *ws)
{
	struct filemark now;

	if (ws->fit) {
		filemark_take(&now, ws->probe.program);
		if (filemark_same(&now, &ws->file))
			return true;
		ws->fit = false;
		let_all_go(ws);
	}
	if (!resident_ready(&ws->probe))
		return false;
	ws->fit = true;
	ws->file = ws->probe.file;
	resident_end(&ws->probe);
	return true;
}

/* ---- a delivery ---- */

/* What is sent waits in the socket.  There is room, unless the worker says that it has done what it
 * has never read: then it is let go, and we do not wait for it. */
static bool
ask(struct workers *ws, struct worker *w, struct span strings, int message_fd)
{
	struct buf *request = &ws->request;

	w->number = ++ws->number;
	w->times++;
	buf_reset(request);
	request->max = STAYPROTO_REQUEST_MAX;
	buf_addnum(request, w->number);
	buf_addc(request, '\0');
	buf_addspan(request, strings);
	return buf_ok(request) &&
	    packet_send(w->fd, buf_span(request), &message_fd, 1) == 0;
}

bool
workers_hand(struct workers *ws, const struct proc_cred *cred, struct span strings, int message_fd,
    struct worker *w)
{
	const uint64_t host = siphash(no_key, strings.p, span_chr(strings, '\0'));

	if (strings.n + NUM_U64_SIZE > STAYPROTO_REQUEST_MAX || !is_fit(ws))
		return false;
	while (take_idle(ws, cred, host, w)) {
		w->host = host;
		if (ask(ws, w, strings, message_fd))
			return true;
		let_go(w);		/* it has ended, or does not read */
	}
	if ((ws->switches && decliners_has(&ws->decliners, cred)) || !start(ws, cred, w))
		return false;
	w->host = host;
	if (ask(ws, w, strings, message_fd))
		return true;
	let_go(w);
	return false;
}

/* ` CODE`, ` -`, and perhaps ` last` behind the number. */
static enum worker_said
understand_end(struct span rest, int *code, bool *last)
{
	struct span end = span_str(" last");
	uint64_t value;

	*last = rest.n >= end.n && span_eq(span_tail(rest, rest.n - end.n), end);
	if (*last)
		rest.n -= end.n;
	if (rest.n < 2 || rest.p[0] != ' ')
		return WORKER_BROKEN;
	rest = span_tail(rest, 1);
	if (span_eq(rest, span_str("-")))
		return WORKER_DECLINED;
	if (num_parse_u64(rest.p, rest.n, UINT8_MAX, &value) != NUM_OK)
		return WORKER_BROKEN;
	*code = (int)value;
	return WORKER_DONE;
}

static enum worker_said
understand(struct worker *w, struct span packet, int *code)
{
	char number[NUM_U64_SIZE];
	size_t n = num_format(number, w->number);
	bool last = false;
	enum worker_said said;

	packet = span_tail(packet, 1);
	if (packet.n < n || !span_eq(span_head(packet, n), span_of(number, n)))
		return WORKER_BROKEN;
	said = understand_end(span_tail(packet, n), code, &last);
	if (last)
		w->times = WORKERS_TIMES;
	return said;
}

/* Is it what we have started?  That is the file we had looked at, or the one that has taken its
 * place before it was run: then it is kept only if that is the one that has shown that it can. */
static bool
greets(const struct workers *ws, struct worker *w, struct span packet)
{
	struct filemark file = { .dev = w->dev, .ino = w->ino };

	if (packet_is_greeting(packet, ws->probe.greeting, &file))
		return true;
	filemark_take(&file, ws->probe.program);
	w->dev = file.dev;
	w->ino = file.ino;
	return file.exists && packet_is_greeting(packet, ws->probe.greeting, &file);
}

/* It ended instead of greeting.  That of a user may have been killed by him, which is no reason for
 * others; else there may be no memory, or a password now, and of several that were started together
 * the first counts. */
static enum worker_said
unable(struct workers *ws, const struct worker *w)
{
	if (ws->switches) {
		decliners_note(&ws->decliners, &w->cred, true);
	} else if (ws->fit) {
		ws->fit = false;
		let_all_go(ws);
		resident_leave(&ws->probe);
	}
	return WORKER_UNABLE;
}

/* As io_read.  If it ended with a packet of ours unread, which is its delivery, the socket tells
 * that by an error, once and before all that it had said. */
static ssize_t
read_packet(struct worker *w, char *chunk, size_t size)
{
	ssize_t r = io_read(w->fd, chunk, size);

	if (r == -1 && errno == ECONNRESET) {
		w->unread = true;
		r = io_read(w->fd, chunk, size);
	}
	return r;
}

enum worker_said
worker_read(struct workers *ws, struct worker *w, char *chunk, size_t size, size_t *n,
    int *code)
{
	ssize_t r = read_packet(w, chunk, size);
	enum worker_said said;

	if (r <= 0 && !w->greeted)
		return unable(ws, w);
	if (r <= 0)
		return w->unread ? WORKER_UNABLE : WORKER_ENDED;
	*n = (size_t)r;
	if (!w->greeted) {
		w->greeted = greets(ws, w, span_of(chunk, *n));
		return w->greeted ? WORKER_NOTHING : WORKER_BROKEN;
	}
	w->unread = false;	/* or it could say nothing of it */
	if (chunk[0] != '\0')
		return WORKER_OUTPUT;
	said = understand(w, span_of(chunk, *n), code);
	if (ws->switches && (said == WORKER_DECLINED || said == WORKER_DONE))
		decliners_note(&ws->decliners, &w->cred, said == WORKER_DECLINED);
	return said;
}

void
workers_end(struct workers *ws)
{
	let_all_go(ws);
	resident_end(&ws->probe);
	buf_free(&ws->request);
}
