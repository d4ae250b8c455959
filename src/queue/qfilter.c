/* qfilter - a message and its envelope on their way through filters. */
#include "queue/qfilter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ctl.h"
#include "lib/env.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "queue/envelope.h"
#include "queue/qqcode.h"

extern char **environ;

#define DIRECTORY "/tmp"
#define STANDARD_PROGRAM "bin/qmail-queue"
#define WAIT_TOP 86400		/* seconds in control/filtertimeout; more is cut to that */

/* Where a filter finds and leaves things. */
enum filter_fd {
	FD_MESSAGE = 0,
	FD_NEW_MESSAGE = 1,
	FD_ENVELOPE = 3,
	FD_NEW_ENVELOPE = 4,
	FD_PROGRAM = 5,
	FD_ERROR = 6
};

/* ---- files ---- */

static int
copy_all(int from, int to)
{
	switch (io_copy(from, to)) {
	case IO_COPIED:
		return QQ_OK;
	case IO_COPY_UNREAD:
		return QQ_READ;
	case IO_COPY_UNWRITTEN:
		break;
	}
	return QQ_WRITE;
}

static int
keep(int from, int *file)
{
	*file = sys_nameless_file(DIRECTORY);
	return *file == -1 ? QQ_WRITE : copy_all(from, *file);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

/* -1: cannot be known. */
static off_t
size_of(int file)
{
	struct stat st;

	return fstat(file, &st) == -1 ? -1 : st.st_size;
}

static int
rewind_file(int file)
{
	return lseek(file, 0, SEEK_SET) == -1 ? QQ_READ : QQ_OK;
}

/* The whole file, from its start; QQ_MEMORY also for one that is larger than the buffer's cap. */
static int
load(int file, struct buf *to)
{
	int code = rewind_file(file);

	if (code != QQ_OK)
		return code;
	switch (io_read_all(file, to)) {
	case IO_OK:
	case IO_EOF:
		return rewind_file(file);
	case IO_TOOLONG:
		return QQ_MEMORY;
	default:
		return QQ_READ;
	}
}

/* ---- the envelope ---- */

struct summary {
	struct span sender;
	struct buf recipients;		/* each with LF */
	uint64_t count;
};

/* Takes a record off the front: its type and, as *data, what is before the NUL. */
static bool
take_record(struct span *rest, char *type, struct span *data)
{
	size_t end = span_chr(*rest, '\0');

	if (end == rest->n)
		return false;
	*type = '\0';
	if (end)
		*type = rest->p[0];
	*data = span_tail(span_head(*rest, end), 1);
	*rest = span_tail(*rest, end + 1);
	return true;
}

/* `F` sender NUL, `T` recipient NUL ..., NUL. */
static int
summarize(struct span envelope, struct summary *s)
{
	struct span data;
	char type;

	if (!take_record(&envelope, &type, &s->sender))
		return QQ_READ;
	if (type != ENVELOPE_SENDER)
		return QQ_FORMAT;
	while (take_record(&envelope, &type, &data)) {
		if (type == '\0')
			return QQ_OK;
		if (type != ENVELOPE_RECIPIENT)
			return QQ_FORMAT;
		buf_addspan(&s->recipients, data);
		buf_addc(&s->recipients, '\n');
		s->count++;
	}
	return QQ_READ;
}

/* ---- what a filter is told ---- */

static int
set_sender(struct span sender)
{
	size_t at = span_rchr(sender, '@');

	return env_set_span("QMAILUSER", span_head(sender, at)) == -1 ||
	    env_set_span("QMAILHOST", span_tail(sender, at + 1)) == -1 ? -1 : 0;
}

static int
set_recipients(const struct summary *s)
{
	if (s->recipients.n > QFILTER_RCPTS_MAX)
		return unsetenv("QMAILRCPTS");
	return setenv("QMAILRCPTS", buf_str(&s->recipients), 1);
}

static int
describe(const struct qfilter *f)
{
	struct buf envelope = BUF_CAP(QFILTER_ENVELOPE_MAX);
	struct summary s = { .recipients = BUF_CAP(QFILTER_ENVELOPE_MAX) };
	off_t size = size_of(f->message);
	int code = load(f->envelope, &envelope);

	if (code == QQ_OK)
		code = summarize(buf_span(&envelope), &s);
	if (code == QQ_OK && (!buf_ok(&s.recipients) || size == -1 || set_sender(s.sender) == -1 ||
	    set_recipients(&s) == -1 || env_set_number("NUMRCPTS", s.count) == -1 ||
	    env_set_number("MSGSIZE", (uint64_t)size) == -1 ||
	    env_set_number("ENVSIZE", envelope.n) == -1))
		code = QQ_MEMORY;
	buf_free(&s.recipients);
	buf_free(&envelope);
	return code;
}

int
qfilter_sender_domain(const struct qfilter *f, struct buf *domain)
{
	struct buf envelope = BUF_CAP(QFILTER_ENVELOPE_MAX);
	struct summary s = { .recipients = BUF_CAP(QFILTER_ENVELOPE_MAX) };
	int code = load(f->envelope, &envelope);

	if (code == QQ_OK)
		code = summarize(buf_span(&envelope), &s);
	if (code == QQ_OK)
		buf_addspan(domain, span_tail(s.sender, span_rchr(s.sender, '@') + 1));
	buf_free(&s.recipients);
	buf_free(&envelope);
	return code == QQ_OK && !buf_ok(domain) ? QQ_MEMORY : code;
}

/* ---- the way ---- */

int
qfilter_read_wait(int64_t *wait_ms)
{
	uint64_t seconds = QFILTER_WAIT_S;

	if (ctl_number("filtertimeout", WAIT_TOP, &seconds) == CTL_ERROR)
		return -1;
	*wait_ms = (int64_t)(seconds ? seconds : 1) * 1000;
	return 0;
}

int
qfilter_take(struct qfilter *f)
{
	struct buf domain = { 0 };
	int code;

	f->error_fd = fcntl(FD_ERROR, F_GETFD) != -1 ? FD_ERROR :
	    fcntl(FD_NEW_ENVELOPE, F_GETFD) != -1 ? FD_NEW_ENVELOPE : -1;
	if ((code = keep(0, &f->message)) == QQ_OK && (code = keep(1, &f->envelope)) == QQ_OK)
		code = qfilter_sender_domain(f, &domain);	/* is it an envelope at all? */
	buf_free(&domain);
	return code;
}

/* What a filter wrote takes the place of what there was; nothing written changes nothing. */
static int
replace_file(int *file, int *by)
{
	off_t size = size_of(*by);

	if (size == -1)
		return QQ_READ;
	if (size == 0)
		return QQ_OK;
	(void)close(*file);
	*file = *by;
	*by = -1;
	return QQ_OK;
}

static int
take_program(struct qfilter *f, int file)
{
	struct buf name = BUF_CAP(QFILTER_PROGRAM_MAX);
	int code = QQ_OK;

	if (size_of(file) > 0 && (code = load(file, &name)) == QQ_OK) {
		size_t end = span_chr(buf_span(&name), '\0');

		code = end < name.n && end ? QQ_OK : QQ_CONFIG;
		buf_reset(&f->program);
		buf_addspan(&f->program, span_head(buf_span(&name), end));
	}
	buf_free(&name);
	return code;
}

static int
wait_for(pid_t pid, int64_t deadline, bool *late)
{
	int code = QQ_REFUSED_NOW;

	*late = proc_finish_session(pid, deadline, &code) == PROC_LATE;
	return *late ? QQ_TIMEOUT : code;
}

static int
run(const struct qfilter *f, char *const argv[], const int outputs[3], bool *late)
{
	struct proc_spawn spawn = {
		.argv = argv,
		.search = true,
		.own_session = true,
		.fds = { { FD_MESSAGE, f->message }, { FD_NEW_MESSAGE, outputs[0] },
			{ FD_ENVELOPE, f->envelope }, { FD_NEW_ENVELOPE, outputs[1] },
			{ FD_PROGRAM, outputs[2] }, { FD_ERROR, f->error_fd } },
		.nfds = 6
	};
	pid_t pid = proc_spawn(&spawn, NULL);

	return pid == -1 ? QQ_EXEC : wait_for(pid, f->deadline, late);
}

int
qfilter_run(struct qfilter *f, char *const argv[], bool *late)
{
	int outputs[3], code = QQ_OK;	/* message, envelope, program */

	for (int i = 0; i < 3; i++)
		if ((outputs[i] = sys_nameless_file(DIRECTORY)) == -1)
			code = QQ_WRITE;
	if (code == QQ_OK && (code = rewind_file(f->message)) == QQ_OK &&
	    (code = describe(f)) == QQ_OK && (code = run(f, argv, outputs, late)) == QQ_OK &&
	    (code = replace_file(&f->message, &outputs[0])) == QQ_OK &&
	    (code = replace_file(&f->envelope, &outputs[1])) == QQ_OK)
		code = take_program(f, outputs[2]);
	for (int i = 0; i < 3; i++)
		close_fd(&outputs[i]);
	return code;
}

int
qfilter_queue(struct qfilter *f)
{
	const char *program = getenv("QQF_QMAILQUEUE");
	char *argv[2] = { NULL, NULL };

	if (!program)		/* an empty name is the name of no program */
		program = STANDARD_PROGRAM;
	if (!f->program.n)
		buf_adds(&f->program, program);
	buf_addc(&f->program, '\0');
	if (!buf_ok(&f->program))
		return QQ_MEMORY;
	if (rewind_file(f->message) != QQ_OK || rewind_file(f->envelope) != QQ_OK ||
	    proc_copy_fd(0, f->message) == -1 || proc_copy_fd(1, f->envelope) == -1)
		return QQ_READ;
	argv[0] = f->program.p;
	sig_default(SIGPIPE);
	proc_exec(argv[0], false, argv, environ);
	return QQ_EXEC;
}

void
qfilter_free(struct qfilter *f)
{
	close_fd(&f->message);
	close_fd(&f->envelope);
	buf_free(&f->program);
}
