/* steps - one local delivery from its operands to its end. */
#include "local/steps.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/report.h"
#include "local/handlers.h"
#include "mail/dotqmail.h"

#define HEADER_PIECE 4096
#define STICKY 01000		/* S_ISVTX, where that is declared */

struct tally {
	unsigned long files, forwards, programs;
};

/* ---- the place and the message ---- */

/* Nobody else may put instructions there; and its owner may close it while he changes them. */
static int
check_home(struct delivery *d)
{
	struct stat st;

	if (chdir(d->home) == -1)
		return report_fail(CODE_TEMP, "Unable to switch to %s: %s. (#4.3.0)", d->home,
		    errtext(errno));
	if (stat(".", &st) == -1)
		return report_fail(CODE_TEMP, "Unable to stat home directory: %s. (#4.3.0)",
		    errtext(errno));
	if (st.st_mode & FORBIDDEN_MODE)
		return report_fail(CODE_TEMP, "Uh-oh: home directory is writable. (#4.7.0)");
	if (!(st.st_mode & STICKY))
		return CODE_OK;
	if (!d->describe)
		return report_fail(CODE_TEMP,
		    "Home directory is sticky: user is editing his .qmail file. (#4.2.1)");
	report_line(2, "Warning: home directory is sticky.");
	return CODE_OK;
}

/* A message that has our Delivered-To line was here before.  A descriptor 0 that is closed shows
 * here, so nothing may be opened earlier. */
static int
check_loop(struct delivery *d)
{
	char piece[HEADER_PIECE];
	struct loopcheck c = { 0 };
	enum loopcheck_result result = LOOPCHECK_MORE;
	ssize_t n = 1;

	if (d->describe)
		return CODE_OK;
	if (lseek(0, 0, SEEK_SET) == -1)
		return report_fail(CODE_TEMP, "Unable to rewind message. (#4.3.0)");
	while (result == LOOPCHECK_MORE && (n = io_read(0, piece, sizeof piece)) > 0)
		result = loopcheck_feed(&c, buf_span(&d->dtline), span_of(piece, (size_t)n));
	if (n == -1)
		return report_fail(CODE_TEMP, "Unable to read message: %s. (#4.3.0)",
		    errtext(errno));
	if (result == LOOPCHECK_FOUND)
		return report_fail(CODE_PERM,
		    "This message is looping: it already has my Delivered-To line. (#5.4.6)");
	return CODE_OK;
}

/* ---- the instructions ---- */

static int
file_trouble(const char *verb, const struct buf *name)
{
	return report_fail(CODE_TEMP, "Unable to %s %s: %s. (#4.3.0)", verb, buf_str(name),
	    errtext(errno));
}

/* No file is fine for the user's own address, and an empty one for all: then the default is
 * used. */
static int
choose_instructions(struct delivery *d)
{
	switch (dotqmail_find(&d->file, span_str(d->dash), span_str(d->ext))) {
	case DOTQMAIL_FOUND:
		break;
	case DOTQMAIL_ABSENT:
		if (d->dash[0])
			return report_fail(CODE_PERM,
			    "Sorry, no mailbox here by that name. (#5.1.1)");
		break;
	case DOTQMAIL_WRITABLE:
		return report_fail(CODE_TEMP, "Uh-oh: .qmail file is writable. (#4.7.0)");
	case DOTQMAIL_OPEN:
		return file_trouble("open", &d->file.name);
	case DOTQMAIL_READ:
		return file_trouble("read", &d->file.name);
	case DOTQMAIL_MEMORY:
		return handle_no_memory();
	}
	d->instructions = buf_span(&d->file.text);
	if (d->instructions.n == 0) {
		d->instructions = span_str(d->fallback);
		d->file.forward_only = false;
	}
	return CODE_OK;
}

static void
set_newsender(struct delivery *d, bool owner, bool each)
{
	buf_reset(&d->newsender);
	buf_adds(&d->newsender, owner ? d->local : d->sender);
	if (!owner)
		return;
	buf_adds(&d->newsender, each ? "-owner-@" : "-owner@");
	buf_adds(&d->newsender, d->domain);
	if (each)
		buf_adds(&d->newsender, "-@[]");
}

/* A list with an owner gets its bounces there; with -owner-default, from each subscriber apart. */
static int
choose_newsender(struct delivery *d)
{
	struct span dash = span_str(d->dash), ext = span_str(d->ext);
	enum dotqmail_status owner = DOTQMAIL_ABSENT, each = DOTQMAIL_ABSENT;
	struct buf name = { 0 };
	int code = CODE_OK;

	if (d->sender[0] && strcmp(d->sender, "#@[]") != 0)
		owner = dotqmail_exists(&name, dash, ext, "-owner");
	if (owner == DOTQMAIL_FOUND)
		each = dotqmail_exists(&name, dash, ext, "-owner-default");
	if (owner == DOTQMAIL_OPEN || each == DOTQMAIL_OPEN)
		code = file_trouble("open", &name);
	set_newsender(d, owner == DOTQMAIL_FOUND, each == DOTQMAIL_FOUND);
	if (owner == DOTQMAIL_MEMORY || each == DOTQMAIL_MEMORY || !buf_ok(&d->newsender))
		code = handle_no_memory();
	buf_free(&name);
	return code;
}

/* Before anything is delivered, so that no retry can repeat it. */
static int
check_instructions(struct delivery *d)
{
	switch (dotqmail_check(d->instructions, d->file.forward_only)) {
	case DOTQMAIL_BLANK:
		return report_fail(CODE_TEMP,
		    "Uh-oh: first line of .qmail file is blank. (#4.2.1)");
	case DOTQMAIL_NO_FILES:
		return report_fail(CODE_TEMP,
		    "Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)");
	case DOTQMAIL_NO_PROGRAMS:
		return report_fail(CODE_TEMP,
		    "Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)");
	default:
		return CODE_OK;
	}
}

/* One line of -n, or the deed.  Forward lines are only counted: they go out together, last. */
static int
obey(const struct delivery *d, enum dot_kind kind, const char *text, struct tally *t)
{
	static const char *const names[] = { [DOT_MAILDIR] = "maildir ", [DOT_MBOX] = "mbox ",
		[DOT_PROGRAM] = "program ", [DOT_FORWARD] = "forward " };

	if (kind < DOT_MAILDIR)
		return CODE_OK;
	t->files += kind == DOT_MAILDIR || kind == DOT_MBOX;
	t->programs += kind == DOT_PROGRAM;
	t->forwards += kind == DOT_FORWARD;
	if (d->describe)
		report_line(1, "%s%s", names[kind], text);
	else if (kind == DOT_MAILDIR)
		return handle_maildir(d, text);
	else if (kind == DOT_MBOX)
		return handle_mbox(d, text);
	else if (kind == DOT_PROGRAM)
		return handle_program(text);
	return CODE_OK;
}

/* *done becomes the number of bytes of the instructions that count. */
static int
obey_all(const struct delivery *d, struct tally *t, size_t *done)
{
	struct buf text = BUF_CAP(DOTQMAIL_MAX);
	struct dot_line line;
	int code = CODE_OK;

	while (code == CODE_OK && dotqmail_next(d->instructions, done, &line)) {
		buf_reset(&text);
		buf_addspan(&text, line.text);
		code = buf_ok(&text) ? obey(d, line.kind, buf_str(&text), t) : handle_no_memory();
	}
	buf_free(&text);
	return code == CODE_STOP ? CODE_OK : code;
}

static int
deliver(struct delivery *d)
{
	struct tally t = { 0, 0, 0 };
	size_t done = 0;
	long qp = 0;
	int code = obey_all(d, &t, &done);

	if (code == CODE_OK && t.forwards && !d->describe)
		code = handle_forward(d, done, &qp);
	if (code != CODE_OK)
		return code;
	if (qp)
		report_line(1, "did %lu+%lu+%lu\nqp %ld", t.files, t.forwards, t.programs, qp);
	else
		report_line(1, "did %lu+%lu+%lu", t.files, t.forwards, t.programs);
	return CODE_OK;
}

static int
describe(struct delivery *d)
{
	return delivery_describe(d, date_now()) ? CODE_OK : handle_no_memory();
}

static int
open_standard(struct delivery *d)
{
	(void)d;
	return io_open_standard() == 0 ? CODE_OK : CODE_TEMP;
}

/* What a process that goes on afterwards must not do: run others' programs, or wait for a lock. */
static int
check_simple(struct delivery *d)
{
	struct dot_line line;
	size_t done = 0;

	while (d->simple && dotqmail_next(d->instructions, &done, &line))
		if (line.kind > DOT_MAILDIR)
			return STEPS_DECLINED;
	return CODE_OK;
}

/* Only programs need it. */
static int
export(struct delivery *d)
{
	return d->simple || delivery_export(d) ? CODE_OK : handle_no_memory();
}

int
steps_run(struct delivery *d)
{
	static int (*const steps[])(struct delivery *) = { check_home, describe, check_loop,
		open_standard, choose_instructions, choose_newsender, check_simple, export,
		check_instructions, deliver };
	int code = CODE_OK;

	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && code == CODE_OK; i++)
		code = steps[i](d);
	return code;
}
