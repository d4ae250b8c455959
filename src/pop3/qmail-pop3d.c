/* qmail-pop3d - the second part of POP3: serve a maildir.
 * Run by: checkpassword or another checker behind qmail-popup, as the owner of the mailbox, in its
 * home directory.  fd 0, 1: the client.  argv: the maildir.  Environment: unused.
 * Exit: 0, however the session ends; 1 as root, which is never served. */
#include <signal.h>
#include <unistd.h>

#include "lib/date.h"
#include "lib/num.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "pop3/mailbox.h"
#include "pop3/popdialog.h"

#define CODE_END 0
#define CODE_ROOT 1
#define LINKS_MAX ((size_t)1000)	/* messages that are links and can be read */

struct pop3d {
	struct popdialog dialog;
	struct mailbox mailbox;
};

static const char no_maildir[] = "this user has no $HOME/Maildir";
static const char no_scan[] = "unable to scan $HOME/Maildir";
static const char no_sandbox[] = "[SYS/TEMP] unable to restrict myself";
static const char unknown_command[] = "unimplemented";

/* The message number at the front of *arg, which is moved beyond it.  false: replied already. */
static bool
take_number(struct pop3d *p, struct span *arg, size_t *i)
{
	uint64_t number = 0;
	size_t digits = num_lead_u64(*arg, UINT64_MAX, &number);

	*arg = span_tail(*arg, digits);
	if (digits == 0) {
		popdialog_err(&p->dialog, "syntax error, message number wanted");
	} else if (number == 0 || number > p->mailbox.list.n) {
		popdialog_err(&p->dialog, "no such message");
	} else if (p->mailbox.marks[number - 1].deleted) {
		popdialog_err(&p->dialog, "message is deleted");
	} else {
		*i = (size_t)number - 1;
		return true;
	}
	return false;
}

static enum pop_next
command_stat(void *program, struct span arg)
{
	struct pop3d *p = program;
	uint64_t count = 0, octets = 0;

	(void)arg;
	for (size_t i = 0; i < p->mailbox.list.n; i++) {
		if (p->mailbox.marks[i].deleted)
			continue;
		count++;
		octets += mailbox_octets(&p->mailbox, i);
	}
	io_puts(&p->dialog.out, "+OK ");
	io_putnum(&p->dialog.out, count);
	io_putc(&p->dialog.out, ' ');
	io_putnum(&p->dialog.out, octets);
	io_puts(&p->dialog.out, "\r\n");
	return POP_GOES_ON;
}

/* What LIST and UIDL tell about a message. */
static void
put_octets(struct pop3d *p, size_t i)
{
	io_putnum(&p->dialog.out, mailbox_octets(&p->mailbox, i));
}

static void
put_uidl(struct pop3d *p, size_t i)
{
	struct buf uidl = { 0 };

	mailbox_add_uidl(&p->mailbox, i, &uidl);
	io_puts(&p->dialog.out, buf_str(&uidl));
	buf_free(&uidl);
}

static void
put_entry(struct pop3d *p, size_t i, void (*put)(struct pop3d *, size_t))
{
	io_putnum(&p->dialog.out, i + 1);
	io_putc(&p->dialog.out, ' ');
	put(p, i);
	io_puts(&p->dialog.out, "\r\n");
}

static enum pop_next
list(struct pop3d *p, struct span arg, void (*put)(struct pop3d *, size_t))
{
	size_t i;

	if (arg.n) {
		if (take_number(p, &arg, &i)) {
			io_puts(&p->dialog.out, "+OK ");
			put_entry(p, i, put);
		}
		return POP_GOES_ON;
	}
	popdialog_ok(&p->dialog);
	for (i = 0; i < p->mailbox.list.n; i++)
		if (!p->mailbox.marks[i].deleted)
			put_entry(p, i, put);
	io_puts(&p->dialog.out, ".\r\n");
	return POP_GOES_ON;
}

static enum pop_next
command_list(void *program, struct span arg)
{
	return list(program, arg, put_octets);
}

static enum pop_next
command_uidl(void *program, struct span arg)
{
	return list(program, arg, put_uidl);
}

/* RETR and TOP alike: a second number cuts the body. */
static enum pop_next
command_retr(void *program, struct span arg)
{
	struct pop3d *p = program;
	uint64_t lines = 0;
	size_t i;
	bool all;
	int fd, rc;

	if (!take_number(p, &arg, &i))
		return POP_GOES_ON;
	while (arg.n && arg.p[0] == ' ')
		arg = span_tail(arg, 1);
	all = num_lead_u64(arg, UINT64_MAX, &lines) == 0;
	if ((fd = mailbox_open_message(&p->mailbox, i)) == -1) {
		popdialog_err(&p->dialog, "unable to open that message");
		return POP_GOES_ON;
	}
	popdialog_ok(&p->dialog);
	rc = mailbox_send(fd, &p->dialog.out, all, lines);
	(void)close(fd);
	if (rc == -1)
		return POP_ENDS;	/* without the dot the client knows it is not all */
	io_puts(&p->dialog.out, ".\r\n");
	return POP_GOES_ON;
}

static enum pop_next
command_dele(void *program, struct span arg)
{
	struct pop3d *p = program;
	size_t i;

	if (take_number(p, &arg, &i)) {
		mailbox_delete(&p->mailbox, i);
		popdialog_ok(&p->dialog);
	}
	return POP_GOES_ON;
}

static enum pop_next
command_last(void *program, struct span arg)
{
	struct pop3d *p = program;

	(void)arg;
	io_puts(&p->dialog.out, "+OK ");
	io_putnum(&p->dialog.out, p->mailbox.last);
	io_puts(&p->dialog.out, "\r\n");
	return POP_GOES_ON;
}

static enum pop_next
command_rset(void *program, struct span arg)
{
	struct pop3d *p = program;

	(void)arg;
	mailbox_undelete_all(&p->mailbox);
	popdialog_ok(&p->dialog);
	return POP_GOES_ON;
}

static enum pop_next
command_noop(void *program, struct span arg)
{
	struct pop3d *p = program;

	(void)arg;
	popdialog_ok(&p->dialog);
	return POP_GOES_ON;
}

static enum pop_next
command_capa(void *program, struct span arg)
{
	struct pop3d *p = program;

	(void)arg;
	popdialog_capa(&p->dialog, popdialog_takes_passwords(), "");
	return POP_GOES_ON;
}

/* The only end of a session that changes the maildir. */
static enum pop_next
command_quit(void *program, struct span arg)
{
	struct pop3d *p = program;

	(void)arg;
	/* What was to be read before it is deleted must have gone out. */
	if (io_flush(&p->dialog.out) == -1)
		return POP_ENDS;
	if (mailbox_update(&p->mailbox) == -1)
		popdialog_err(&p->dialog, "unable to remove some of the deleted messages");
	else
		popdialog_ok(&p->dialog);
	return POP_ENDS;
}

static const struct pop_command commands[] = {
	{ "stat", command_stat },
	{ "list", command_list },
	{ "uidl", command_uidl },
	{ "retr", command_retr },
	{ "top", command_retr },
	{ "dele", command_dele },
	{ "last", command_last },
	{ "rset", command_rset },
	{ "noop", command_noop },
	{ "capa", command_capa },
	{ "quit", command_quit },
};

/* Nothing but the maildir is needed from now on, and what messages are links to, as bulletins for
 * many users are.  Its directories are named one by one because each may be a link, too. */
static int
restrict_to(const struct maildir_list *list)
{
	static const char *const directories[] = { ".", "new", "cur", "tmp" };
	struct sandbox_path paths[sizeof directories / sizeof *directories + LINKS_MAX];
	size_t n = 0;

	while (n < sizeof directories / sizeof *directories) {
		paths[n] = (struct sandbox_path){ directories[n], SANDBOX_CHANGE };
		n++;
	}
	for (size_t i = 0; i < list->n && n < sizeof paths / sizeof *paths; i++)
		if (list->messages[i].is_link)
			paths[n++] = (struct sandbox_path){ list->messages[i].path, SANDBOX_READ };
	return sandbox_paths(paths, n);
}

/* NULL, or why the maildir cannot be served. */
static const char *
enter(struct pop3d *p, const char *maildir)
{
	if (!maildir || chdir(maildir) == -1)
		return no_maildir;
	if (mailbox_open(&p->mailbox) == -1)
		return no_scan;
	if (restrict_to(&p->mailbox.list) == -1) {
		mailbox_close(&p->mailbox);
		return no_sandbox;
	}
	maildir_clean_tmp(date_now());
	return NULL;
}

static void
serve(struct pop3d *p, const char *maildir)
{
	const char *trouble = enter(p, maildir);

	if (trouble) {
		popdialog_err(&p->dialog, trouble);
		(void)!io_flush(&p->dialog.out);
		return;
	}
	popdialog_ok(&p->dialog);
	popdialog_run(&p->dialog, commands, sizeof commands / sizeof *commands, unknown_command,
	    p);
	mailbox_close(&p->mailbox);
}

int
main(int argc, char *argv[])
{
	static const char root[] = "qmail-pop3d invoked as uid 0, terminating\n";
	struct pop3d p = { 0 };

	if (getuid() == 0) {
		(void)!io_write(2, root, sizeof root - 1);
		return CODE_ROOT;
	}
	sig_ignore(SIGPIPE);
	sandbox_limits();
	popdialog_init(&p.dialog);
	if (io_open_standard() == 0)
		serve(&p, argc > 1 ? argv[1] : NULL);
	popdialog_free(&p.dialog);
	return CODE_END;
}
