/* maildirwatch - show what is new in a Maildir, over and over.
 *
 *	maildirwatch
 *
 * Run by: users, on a terminal (VT100 or what understands its sequences).  fd 1: the screen.
 * Environment: MAILDIR.
 * Exit: never by itself; 111 failure. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "local/glance.h"
#include "mail/maildir.h"

#define PAUSE_S 30
#define TEXT_SIZE ((size_t)158)		/* two lines of a terminal, nearly */
#define FIELD_SIZE ((size_t)1000)	/* bytes shown of a field */
#define CLEAR "\033[;H\033[;J"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static void
add_or(struct buf *to, const struct buf *what, const char *instead)
{
	if (what->n)
		log_add_visible(to, span_head(buf_span(what), FIELD_SIZE), true, '?');
	else
		buf_adds(to, instead);
}

static void
add_message(struct buf *to, const struct glance *g)
{
	buf_adds(to, "FROM ");
	add_or(to, &g->sender, "?");
	buf_adds(to, " TO <");
	add_or(to, &g->recipient, "?");
	buf_adds(to, ">\n" BOLD);
	log_add_visible(to, span_head(buf_span(&g->from), FIELD_SIZE), true, '/');
	buf_adds(to, PLAIN "\n");
	log_add_visible(to, buf_span(&g->text), true, '/');
	buf_adds(to, "\n\n");
}

/* A message may be read and gone meanwhile: then there is nothing to show. */
static int
show(const char *path)
{
	struct glance g = { 0 };
	struct buf text = { 0 };
	int r = -1, fd = fsops_open_read(path);

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (glance_read(&g, fd, TEXT_SIZE) == 0) {
		add_message(&text, &g);
		if (buf_ok(&text))
			r = io_write_all(1, text.p, text.n);
		else
			errno = ENOMEM;
	}
	(void)close(fd);
	glance_free(&g);
	buf_free(&text);
	return r;
}

static int
fail(const char *what, const char *path)
{
	return report_fail(CODE_TEMP, "maildirwatch: fatal: unable to %s%s: %s", what, path,
	    errtext(errno));
}

static int
show_all(const char *maildir)
{
	struct maildir_list list;
	int64_t now = date_now();
	int code = CODE_OK;

	maildir_clean_tmp(now);
	if (maildir_scan_new(&list, now) == -1)
		return fail("scan ", maildir);
	if (io_write_all(1, CLEAR, sizeof CLEAR - 1) == -1)
		code = fail("write", "");
	for (size_t i = 0; code == CODE_OK && i < list.n; i++)
		if (show(list.messages[i].path) == -1)
			code = fail("show ", list.messages[i].path);
	maildir_list_free(&list);
	return code;
}

int
main(void)
{
	const struct timespec pause = { .tv_sec = PAUSE_S };
	const char *maildir = getenv("MAILDIR");
	int code;

	if (io_open_standard() == -1 || sandbox_plain(0) == -1)
		return CODE_TEMP;
	if (!maildir)
		return report_fail(CODE_TEMP, "maildirwatch: fatal: MAILDIR not set");
	if (chdir(maildir) == -1)
		return fail("chdir to ", maildir);
	sig_ignore(SIGPIPE);
	while ((code = show_all(maildir)) == CODE_OK)
		(void)nanosleep(&pause, NULL);
	return code;
}
