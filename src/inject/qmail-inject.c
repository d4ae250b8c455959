/* qmail-inject - complete a message and queue it.
 *
 * Run by: users, sendmail, scripts in .qmail files; no privileges.  fd 0: the message; fd 1: only
 * with -n, the message as it would be queued; fd 2: complaints.  argv, environment:
 * inject/request.h.  cwd: becomes the home directory.
 * Exit: 0 queued (or printed, or nobody to send it to), 100 permanent, 111 temporary failure; on
 * failure nothing was queued.
 *
 * The header is read and completed as a whole before qmail-queue is started, the body is copied
 * as it comes. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "inject/address.h"
#include "inject/body.h"
#include "inject/followup.h"
#include "inject/generate.h"
#include "inject/header.h"
#include "inject/recips.h"
#include "inject/request.h"
#include "inject/rewrite.h"
#include "inject/sender.h"
#include "lib/conf.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "mail/addr5321.h"
#include "queue/submit.h"

struct inject {
	int64_t start;
	struct request request;
	struct followup followup;
	struct rewrite rewrite;
	struct recips arguments;	/* recipients, completed */
	struct header header;
	struct buf sender;		/* completed */
	struct buf generated;		/* fields in front of the author's */
	struct buf detail;		/* of a fault */
	struct io_in in;
	struct io_out out;		/* with -n */
	struct submit queue;		/* without */
	char in_buffer[65536], out_buffer[8192];
};

struct message {
	enum fault fault;
	int code;		/* enum code */
	const char *before, *after;	/* the detail stands between them */
};

static const struct message messages[] = {
	{ FAULT_MEMORY, CODE_TEMP, "qmail-inject: fatal: out of memory\n", NULL },
	{ FAULT_HOME, CODE_TEMP, "qmail-inject: fatal: internal bug\n", NULL },
	{ FAULT_READ, CODE_TEMP, "qmail-inject: fatal: read error\n", NULL },
	{ FAULT_WRITE, CODE_TEMP, "qmail-inject: fatal: write error\n", NULL },
	{ FAULT_RUN, CODE_TEMP, "qmail-inject: fatal: unable to run qmail-queue\n", NULL },
	{ FAULT_LINE, CODE_PERM, "qmail-inject: fatal: unable to parse this line:\n", "" },
	{ FAULT_ADDRESS, CODE_PERM, "qmail-inject: fatal: unable to parse address: ", "\n" },
	{ FAULT_HEADER_SIZE, CODE_PERM, "qmail-inject: fatal: header too large\n", NULL },
	{ FAULT_RECIPIENTS, CODE_PERM, "qmail-inject: fatal: too many recipients\n", NULL },
	{ FAULT_NOBODY, CODE_PERM, "sendmail: fatal: no recipients\n", NULL },
	{ FAULT_QUEUE_NOW, CODE_TEMP, "qmail-inject: fatal: ", "\n" },
	{ FAULT_QUEUE, CODE_PERM, "qmail-inject: fatal: ", "\n" },
	{ FAULT_USAGE, CODE_PERM, "", NULL },
};

/* Says what is wrong and returns the exit code. */
static int
report(const struct inject *in, enum fault fault)
{
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		const struct message *m = &messages[i];

		if (m->fault != fault)
			continue;
		(void)!io_write_all(2, m->before, strlen(m->before));
		if (m->after) {
			(void)!io_write_all(2, in->detail.p, in->detail.n);
			(void)!io_write_all(2, m->after, strlen(m->after));
		}
		return m->code;
	}
	return CODE_OK;
}

/* Environment, control files and options, in the order that decides which fault is told. */
static enum fault
set_up(struct inject *in, int argc, char *const *argv)
{
	enum fault f = request_environment(&in->request);

	if (f == FAULT_NONE)
		f = followup_load(&in->followup, in->request.followup_file);
	if (f == FAULT_NONE && chdir(QMAIL_HOME) == -1)
		f = FAULT_HOME;
	if (f == FAULT_NONE)
		f = rewrite_load(&in->rewrite, &in->detail);
	if (f == FAULT_NONE)
		f = request_options(&in->request, argc, argv);
	if (f == FAULT_NONE && in->request.sender)
		f = sender_from_option(&in->request, &in->rewrite, &in->sender, &in->detail);
	return f;
}

/* One argument.  sendmail has parsed it already; parsing again could change its meaning. */
static enum fault
add_argument(struct inject *in, const char *arg)
{
	struct buf raw = { 0 }, envelope = { 0 };
	enum fault f = FAULT_NONE;

	if (in->request.from_sendmail)
		buf_adds(&raw, arg);
	else
		f = address_recipient(span_str(arg), &raw);
	if (f == FAULT_NONE)
		f = buf_ok(&raw) ? rewrite_address(&in->rewrite, buf_span(&raw), &envelope) :
		    FAULT_MEMORY;
	if (f == FAULT_NONE) {
		recips_add(&in->arguments, buf_span(&envelope));
		f = recips_fault(&in->arguments);
	}
	if (f == FAULT_ADDRESS) {
		buf_reset(&in->detail);
		buf_adds(&in->detail, arg);
	}
	buf_free(&raw);
	buf_free(&envelope);
	return f;
}

static enum fault
read_arguments(struct inject *in)
{
	enum fault f = FAULT_NONE;

	if (request_wants_arguments(&in->request))
		for (char *const *arg = in->request.args; *arg && f == FAULT_NONE; arg++)
			f = add_argument(in, *arg);
	return f;
}

static enum fault
read_header(struct inject *in)
{
	const struct request *q = &in->request;
	const struct header_rules rules = {
		.addresses = &in->rewrite.rules,
		.ignore_return_path = q->ignore_return_path,
		.drop_from = q->replace_from,
		.drop_message_id = q->replace_message_id,
		.collect_recipients = request_wants_header(q),
		.collect_followup = in->followup.active,
		.lenient_recipients = q->to == REQUEST_ARGUMENTS,
		.lenient_senders = q->from_sendmail,
	};

	return header_read(&in->header, &rules, &in->in, &in->detail);
}

/* The recipients that the header gives, empty if they do not count. */
static const struct recips *
header_recipients(const struct inject *in)
{
	return header_is_resent(&in->header) ? &in->header.resent : &in->header.recipients;
}

/* Everything that is known only at the end of the header. */
static enum fault
complete(struct inject *in)
{
	const struct generate g = { &in->request, &in->rewrite, &in->header, &in->followup,
		in->start, getpid() };
	const size_t n = in->arguments.n + header_recipients(in)->n;
	enum fault f = FAULT_NONE;

	if (in->rewrite.max_recipients && n > in->rewrite.max_recipients)
		return FAULT_RECIPIENTS;
	if (!in->request.sender)
		f = sender_default(&in->request, &in->rewrite, &in->header, in->start, g.pid,
		    &in->sender, &in->detail);
	if (f == FAULT_NONE)
		f = generate_fields(&g, &in->generated, &in->detail);
	return f;
}

static void
put_printed(void *arg, const char *p, size_t n)
{
	io_put(arg, p, n);
}

static void
put_queued(void *arg, const char *p, size_t n)
{
	submit_message(arg, p, n);
}

/* Writes the message.  FAULT_READ: the input broke off with an error. */
static enum fault
put_message(struct inject *in, body_put *put, void *arg)
{
	const struct header *h = &in->header;
	struct body body = { .strip_cr = h->crlf, .put = put, .arg = arg };
	enum io_status status = IO_OK;

	put(arg, in->generated.p, in->generated.n);
	put(arg, h->text.p, h->text.n);
	/* sendmail's callers get the empty line even if they sent none. */
	if (h->end != HEADER_END_INPUT || in->request.from_sendmail)
		put(arg, "\n", 1);
	if (h->end == HEADER_END_BODY) {
		body_add(&body, buf_span(&h->line));
		if (h->line_ended)
			body_add(&body, span_str("\n"));
	}
	while (h->end != HEADER_END_INPUT && (status = io_fill(&in->in)) == IO_OK) {
		struct span piece = io_peek(&in->in);

		body_add(&body, piece);
		io_skip(&in->in, piece.n);
	}
	body_end(&body);
	return status == IO_OK || status == IO_EOF ? FAULT_NONE : FAULT_READ;
}

/* -n: on standard output. */
static enum fault
print(struct inject *in)
{
	struct buf path = { 0 };
	enum fault f;

	in->in.tie = &in->out;
	buf_adds(&path, "Return-Path: <");
	addr5321_quote(&path, buf_span(&in->sender));
	buf_adds(&path, ">\n");
	io_putspan(&in->out, buf_span(&path));
	f = buf_ok(&path) ? put_message(in, put_printed, &in->out) : FAULT_MEMORY;
	buf_free(&path);
	if (io_flush(&in->out) == -1)
		return FAULT_WRITE;
	return f;
}

static void
put_recipients(struct submit *queue, const struct recips *to)
{
	struct span address;

	for (size_t at = 0; recips_next(to, &at, &address);)
		submit_recipient(queue, address);
}

static enum fault
queue(struct inject *in)
{
	enum submit_result result;
	enum fault f;

	if (submit_open(&in->queue) == -1)
		return FAULT_RUN;
	submit_set_timeout(&in->queue, in->queue.wait_ms);
	f = put_message(in, put_queued, &in->queue);
	if (f != FAULT_NONE)
		submit_abort(&in->queue);
	submit_sender(&in->queue, buf_span(&in->sender));
	put_recipients(&in->queue, &in->arguments);
	put_recipients(&in->queue, header_recipients(in));
	/* From here on, if the result is OK, the mail is safe. */
	result = submit_close(&in->queue, &in->detail);
	if (f != FAULT_NONE || result == SUBMIT_OK)
		return f;
	return result == SUBMIT_TEMPORARY ? FAULT_QUEUE_NOW : FAULT_QUEUE;
}

/* Nobody to send it to.  The rest is read nevertheless: a caller that is still writing would be
 * killed by SIGPIPE otherwise, and think that this failed. */
static enum fault
drop(struct inject *in)
{
	static const char warning[] = "qmail-inject: warning: no recipients\n";

	if (in->request.from_sendmail)
		return FAULT_NOBODY;
	(void)!io_write_all(2, warning, sizeof warning - 1);
	while (io_fill(&in->in) == IO_OK)
		io_skip(&in->in, io_peek(&in->in).n);
	return FAULT_NONE;
}

static enum fault
run(struct inject *in, int argc, char *const *argv)
{
	enum fault f = set_up(in, argc, argv);

	if (f == FAULT_NONE)
		f = read_arguments(in);
	if (f == FAULT_NONE)
		f = read_header(in);
	if (f == FAULT_NONE)
		f = complete(in);
	if (f != FAULT_NONE)
		return f;
	if (in->request.print)
		return print(in);
	if (!in->arguments.n && !header_recipients(in)->n)
		return drop(in);
	return queue(in);
}

int
main(int argc, char **argv)
{
	struct inject in = {
		.start = date_now(),
		.arguments = RECIPS_EMPTY,
		.header = HEADER_EMPTY,
		.generated = BUF_CAP(HEADER_TEXT_MAX),
	};
	int code;

	if (io_open_standard() == -1 || sys_drop_setid() == -1)
		return CODE_TEMP;
	sandbox_limits();
	sig_ignore(SIGPIPE);
	io_in_init(&in.in, 0, in.in_buffer, sizeof in.in_buffer);
	io_out_init(&in.out, 1, in.out_buffer, sizeof in.out_buffer);
	if (!argc)
		return CODE_PERM;
	code = report(&in, run(&in, argc, argv));
	header_free(&in.header);
	recips_free(&in.arguments);
	rewrite_free(&in.rewrite);
	followup_free(&in.followup);
	request_free(&in.request);
	buf_free(&in.sender);
	buf_free(&in.generated);
	buf_free(&in.detail);
	return code;
}
