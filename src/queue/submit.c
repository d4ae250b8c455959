/* submit - hand one message to qmail-queue, or to the program that $QMAILQUEUE names. */
#include "queue/submit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/deadline.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/proc.h"
#include "lib/sys.h"
#include "queue/envelope.h"
#include "queue/qqcode.h"

#define STANDARD_PROGRAM "bin/qmail-queue"
/* Descriptors on which programs in the place of qmail-queue give a reason: simscan's and the
 * custom-error patch's number, and notqmail's. */
#define ERROR_FD_A 4
#define ERROR_FD_B 6
#define TEXT_USABLE 2		/* a reason is longer than this */
#define CODE_KILLED (-1)
#define CODE_LOST (-2)		/* somebody else waited for our child */

/* ---- starting ---- */

struct pipes {
	int message[2], envelope[2], error[2];
};

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static void
close_pipes(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&p->message[i]);
		close_fd(&p->envelope[i]);
		close_fd(&p->error[i]);
	}
}

/* What $ERROR_FD adds to the two usual numbers; -1 for nothing. */
static int
extra_error_fd(void)
{
	struct span text = span_str(getenv("ERROR_FD"));
	uint64_t fd;

	if (num_parse_u64(text.p, text.n, SUBMIT_ERROR_FD_MAX, &fd) != NUM_OK || fd < 2 ||
	    fd == ERROR_FD_A || fd == ERROR_FD_B)
		return -1;
	return (int)fd;
}

static pid_t
start(const struct pipes *p, enum proc_step *step)
{
	const char *program = getenv("QMAILQUEUE");
	char *argv[2] = { NULL, NULL };
	int extra = extra_error_fd(), error;
	struct proc_spawn spawn = {
		.argv = argv,
		.light = !program,
		.chdir = QMAIL_HOME,
		.fds = { { 0, p->message[0] }, { 1, p->envelope[0] },
			{ ERROR_FD_A, p->error[1] }, { ERROR_FD_B, p->error[1] },
			{ extra, p->error[1] } },
		.nfds = extra == -1 ? 4 : 5,
	};
	pid_t pid;

	*step = PROC_FORK;
	if (!(argv[0] = strdup(program ? program : STANDARD_PROGRAM)))
		return -1;
	pid = proc_spawn(&spawn, step);
	error = errno;
	free(argv[0]);
	errno = error;
	return pid;
}

int
submit_open(struct submit *s)
{
	struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	enum proc_step step;
	int error;

	*s = (struct submit){ .pid = -1, .message_fd = -1, .envelope_fd = -1, .error_fd = -1,
	    .wait_ms = SUBMIT_WAIT_S * INT64_C(1000) };
	if (sys_pipe(p.message) == -1 || sys_pipe(p.envelope) == -1 || sys_pipe(p.error) == -1)
		goto fail;
	s->pid = start(&p, &step);
	if (s->pid == -1 && step == PROC_FORK)
		goto fail;
	if (s->pid == -1) {
		s->start_code = step == PROC_CHDIR ? QQ_HOME : QQ_EXEC;
		s->failed = true;
	}
	s->message_fd = p.message[1];
	s->envelope_fd = p.envelope[1];
	s->error_fd = p.error[0];
	p.message[1] = p.envelope[1] = p.error[0] = -1;
	close_pipes(&p);
	io_out_init(&s->out, s->message_fd, s->buffer, sizeof s->buffer);
	return 0;

fail:
	error = errno;
	close_pipes(&p);
	errno = error;
	return -1;
}

/* ---- message and envelope ---- */

void
submit_set_timeout(struct submit *s, int64_t timeout_ms)
{
	/* A blocking write of much data would sleep in the kernel, past any deadline. */
	if (s->message_fd != -1 && io_nonblock(s->message_fd, true) == -1)
		s->failed = true;
	if (s->envelope_fd != -1 && io_nonblock(s->envelope_fd, true) == -1)
		s->failed = true;
	s->out.timeout_ms = timeout_ms;
	s->out.nonblocking = true;
}

void
submit_message(struct submit *s, const void *p, size_t n)
{
	if (!s->failed && !s->in_envelope)
		io_put(&s->out, p, n);
}

int
submit_copy(struct submit *s, int fd)
{
	char chunk[SUBMIT_BUFFER];
	ssize_t n;

	while (!s->failed && s->out.status == IO_OK) {
		if ((n = io_read(fd, chunk, sizeof chunk)) == 0)
			return 0;
		if (n == -1) {
			submit_abort(s);
			return -1;
		}
		submit_message(s, chunk, (size_t)n);
	}
	return 0;
}

void
submit_abort(struct submit *s)
{
	s->failed = true;
}

/* The message is complete: the program sees its end and goes on to the envelope. */
static void
begin_envelope(struct submit *s)
{
	int64_t timeout_ms = s->out.timeout_ms;
	bool nonblocking = s->out.nonblocking;

	if (s->in_envelope)
		return;
	s->in_envelope = true;
	if (!s->failed && io_flush(&s->out) == -1)
		s->failed = true;
	close_fd(&s->message_fd);
	io_out_init(&s->out, s->envelope_fd, s->buffer, sizeof s->buffer);
	s->out.timeout_ms = timeout_ms;
	s->out.nonblocking = nonblocking;
}

static void
put_address(struct submit *s, enum envelope_type type, struct span address)
{
	if (span_chr(address, '\0') < address.n)
		submit_abort(s);
	if (!s->failed)
		envelope_put(&s->out, type, address);
}

void
submit_sender(struct submit *s, struct span sender)
{
	begin_envelope(s);
	put_address(s, ENVELOPE_SENDER, sender);
}

void
submit_recipient(struct submit *s, struct span recipient)
{
	put_address(s, ENVELOPE_RECIPIENT, recipient);
}

/* ---- the end ---- */

/* One read of what the program says about its failure; false: nothing more will come. */
static bool
read_reason(int fd, char *reason, size_t *n)
{
	char sink[SUBMIT_TEXT_MAX];
	bool full = *n == SUBMIT_TEXT_MAX;
	ssize_t r = io_read(fd, full ? sink : reason + *n, SUBMIT_TEXT_MAX - (full ? 0 : *n));

	if (r > 0 && !full)
		*n += (size_t)r;
	return r > 0;
}

/* Reads the reason until the child is dead.  Its end of the pipe may outlive it, held by a process
 * it left behind, so the end of file is not waited for.  false: it does not end in time.  Neither
 * that nor *dead: nobody can tell. */
static bool
await_child(struct submit *s, int64_t end, char *reason, size_t *n, bool *dead)
{
	struct pollfd p[2] = { { .fd = sys_pidfd(s->pid), .events = POLLIN },
		{ .fd = s->error_fd, .events = POLLIN } };
	bool in_time = true;

	while (p[0].fd != -1 && p[0].revents == 0 && in_time) {
		if (poll(p, 2, deadline_poll(end)) == -1 && errno != EINTR)
			break;
		in_time = p[0].revents || deadline_now() < end;
		if (p[1].revents && !read_reason(s->error_fd, reason, n))
			p[1].fd = -1;
	}
	*dead = p[0].revents != 0;
	close_fd(&p[0].fd);
	return in_time;
}

/* Exit code, or one of the above.  A program that does not end is killed but not waited for, as the
 * kernel may not let go of it; what it had queued before is delivered, at worst twice. */
static int
reap(struct submit *s, char *reason, size_t *n)
{
	const int64_t end = deadline_after(s->wait_ms);
	bool dead = false;
	int status;

	if (s->start_code)
		return s->start_code;
	(void)!io_nonblock(s->error_fd, true);	/* it is our own pipe */
	if (!await_child(s, end, reason, n, &dead) ||
	    proc_wait_until(s->pid, dead ? DEADLINE_NONE : end, &status) == -1) {
		if (deadline_poll(end) != 0)
			return CODE_LOST;
		(void)kill(s->pid, SIGKILL);
		return QQ_TIMEOUT;
	}
	while (*n < SUBMIT_TEXT_MAX && read_reason(s->error_fd, reason, n))
		;
	return proc_code(status);
}

/* The first row that fits decides; class letter first. */
static const struct {
	int code;
	const char *text;
} results[] = {
	{ CODE_LOST, "Zqq waitpid surprise (#4.3.0)" },
	{ CODE_KILLED, "Zqq crashed (#4.3.0)" },
	{ QQ_ADDRESS_TOO_LONG, "Denvelope address too long for qq (#5.1.3)" },
	{ QQ_LONG_ADDRESS_OTHER, "Denvelope address too long for qq (#5.1.3)" },
	{ QQ_REFUSED, "Dmail server permanently rejected message (#5.3.0)" },
	{ QQ_KEY, "DPrivate key file does not exist (#5.3.5)" },
	{ QQ_MEMORY, "Zqq out of memory (#4.3.0)" },
	{ QQ_TIMEOUT, "Zqq timeout (#4.3.0)" },
	{ QQ_WRITE, "Zqq write error or disk full (#4.3.0)" },
	{ QQ_OK, "Zqq read error (#4.3.0)" },	/* it took less than we meant to send */
	{ QQ_READ, "Zqq read error (#4.3.0)" },
	{ QQ_CONFIG, "Zqq unable to read configuration (#4.3.0)" },
	{ QQ_NETWORK, "Zqq trouble making network connection (#4.3.0)" },
	{ QQ_CHILD, "Zqq trouble creating child (#4.3.0)" },
	{ QQ_PIPES, "Zqq trouble creating pipes (#4.3.0)" },
	{ QQ_HOME, "Zqq trouble in home directory (#4.3.0)" },
	{ QQ_QUEUE, "Zqq trouble creating files in queue (#4.3.0)" },
	{ QQ_PID, "Zqq trouble creating files in queue (#4.3.0)" },
	{ QQ_MESS, "Zqq trouble creating files in queue (#4.3.0)" },
	{ QQ_INTD, "Zqq trouble creating files in queue (#4.3.0)" },
	{ QQ_TODO, "Zqq trouble creating files in queue (#4.3.0)" },
	{ QQ_PID_FILE, "Zqq trouble with pid file (#4.3.0)" },
	{ QQ_REFUSED_NOW, "Zmail server temporarily rejected message (#4.3.0)" },
	{ QQ_CONN_TIMEOUT, "Zconnection to mail server timed out (#4.4.1)" },
	{ QQ_CONN_REFUSED, "Zconnection to mail server rejected (#4.4.1)" },
	{ QQ_CONN_FAILED, "Zcommunication with mail server failed (#4.4.2)" },
	{ QQ_BUG, "Zqq internal bug (#4.3.0)" },
	{ QQ_FORMAT, "Zqq internal bug (#4.3.0)" },
	{ QQ_EXEC, "Zunable to exec qq (#4.3.0)" },
};

static const char *
standard_text(int code)
{
	for (size_t i = 0; i < sizeof results / sizeof *results; i++)
		if (results[i].code == code)
			return results[i].text;
	return code >= 11 && code <= 40 ? "Dqq permanent problem (#5.3.0)" :
	    "Zqq temporary problem (#4.3.0)";
}

/* `5.7.1` or the like at the front? */
static bool
begins_with_code(struct span s)
{
	for (unsigned number = 0; number < 3; number++) {
		uint64_t value;
		size_t digits = num_lead_u64(s, UINT64_MAX, &value);

		if (digits == 0 || digits > 3)
			return false;
		s = span_tail(s, digits);
		if (number < 2 && (s.n == 0 || s.p[0] != '.'))
			return false;
		s = span_tail(s, 1);
	}
	return true;
}

/* Has the text a code of RFC 3463, where RFC 2034 wants it or as `#5.7.1`? */
static bool
has_code(struct span text)
{
	struct span rest = text;

	while ((rest = span_tail(rest, span_chr(rest, '#') + 1)).n)
		if (begins_with_code(rest))
			return true;
	return begins_with_code(text);
}

/* Makes *text one printable line of the program's own words, with a code; false if there are too
 * few of them.  Words without a class are temporary. */
static bool
custom_text(const char *reason, size_t n, struct buf *text, bool *permanent)
{
	bool has_class = n && (reason[0] == 'D' || reason[0] == 'Z');
	struct span words = span_tail(span_of(reason, n), has_class);

	while (words.n && (words.p[words.n - 1] == '\n' || words.p[words.n - 1] == '\r'))
		words.n--;
	if (n <= TEXT_USABLE || !words.n)
		return false;
	*permanent = reason[0] == 'D';
	log_add_visible(text, words, true, '?');
	if (!has_code(words))
		buf_adds(text, *permanent ? " (#5.7.1)" : " (#4.3.0)");
	return true;
}

void
submit_end(struct submit *s)
{
	if (s->ended)
		return;
	s->ended = true;
	if (!s->in_envelope)
		submit_abort(s);
	if (!s->failed) {
		io_putc(&s->out, '\0');
		if (io_flush(&s->out) == -1)
			s->failed = true;
	}
	close_fd(&s->message_fd);
	close_fd(&s->envelope_fd);
}

enum submit_result
submit_close(struct submit *s, struct buf *text)
{
	char reason[SUBMIT_TEXT_MAX];
	size_t reason_len = 0;
	const char *standard;
	bool permanent;
	int code;

	submit_end(s);
	code = reap(s, reason, &reason_len);
	close_fd(&s->error_fd);
	buf_reset(text);
	if (code == QQ_OK && !s->failed)
		return SUBMIT_OK;
	if ((code != QQ_CUSTOM && code != QQ_CUSTOM_OTHER) ||
	    !custom_text(reason, reason_len, text, &permanent)) {
		standard = standard_text(code);
		permanent = standard[0] == 'D';
		buf_adds(text, standard + 1);
	}
	return permanent ? SUBMIT_PERMANENT : SUBMIT_TEMPORARY;
}
