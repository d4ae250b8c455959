/* maildir2mbox - move mail from a Maildir into an mbox.
 *
 *	maildir2mbox
 *
 * Run by: users, or a script before their mail reader starts.  Environment: MAILDIR; MAIL, the
 * mbox; MAILTMP, a file on the same file system that does not exist.  No other descriptors than 2.
 * Exit: 0 all messages that were there are in the mbox; 111 failure: the Maildir is as it was. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "local/mboxmerge.h"

struct paths {
	const char *maildir, *mail, *mailtmp;
};

static int
fail(const char *what, const char *path, const char *error)
{
	return report_fail(CODE_TEMP, "maildir2mbox: fatal: unable to %s%s: %s", what, path, error);
}

static int
complain(const struct mboxmerge *m, enum mboxmerge_status status, const struct paths *p)
{
	const char *error = errtext(errno);

	switch (status) {
	case MBOXMERGE_LOCK:
		return fail("lock ", p->mail, error);
	case MBOXMERGE_TYPE:
		return fail("lock ", p->mail, "not a regular file");
	case MBOXMERGE_SAME:
		return fail("create ", p->mailtmp, "it is the mailbox itself");
	case MBOXMERGE_CREATE:
		return fail("create ", p->mailtmp, error);
	case MBOXMERGE_OWNER:
		return fail("keep owner and mode of ", p->mail, error);
	case MBOXMERGE_READ:
		if (m->at == p->mail)
			return fail("read ", p->mail, error);
		return report_fail(CODE_TEMP, "maildir2mbox: fatal: unable to read %s/%s: %s",
		    p->maildir, m->at, error);
	case MBOXMERGE_WRITE:
		return fail("write to ", p->mailtmp, error);
	default:
		return report_fail(CODE_TEMP, "maildir2mbox: fatal: unable to move %s to %s: %s",
		    p->mailtmp, p->mail, error);
	}
}

/* One that stays will be moved again: that is better than losing it. */
static void
remove_messages(const struct maildir_list *list, const char *maildir)
{
	for (size_t i = 0; i < list->n; i++)
		if (unlink(list->messages[i].path) == -1)
			report_line(2, "maildir2mbox: warning: %s/%s will be delivered twice; "
			    "unable to unlink: %s", maildir, list->messages[i].path,
			    errtext(errno));
	(void)!fsops_sync_dir("new");
	(void)!fsops_sync_dir("cur");
}

static int
move(const struct paths *p, struct maildir_list *list)
{
	struct mboxmerge m = MBOXMERGE(p->mail, p->mailtmp);
	enum mboxmerge_status status = mboxmerge_write(&m, list);
	int code = CODE_OK;

	if (status == MBOXMERGE_OK)
		remove_messages(list, p->maildir);
	else
		code = complain(&m, status, p);
	mboxmerge_close(&m);
	return code;
}

static int
unset(const char *variable)
{
	return report_fail(CODE_TEMP, "maildir2mbox: fatal: %s not set", variable);
}

int
main(void)
{
	struct paths p = { getenv("MAILDIR"), getenv("MAIL"), getenv("MAILTMP") };
	struct maildir_list list;
	int64_t now = date_now();
	int code = CODE_OK;

	if (io_open_standard() == -1 || sandbox_plain(0) == -1)
		return CODE_TEMP;
	if (!p.mail)
		return unset("MAIL");
	if (!p.mailtmp)
		return unset("MAILTMP");
	if (!p.maildir)
		return unset("MAILDIR");
	umask(077);
	if (chdir(p.maildir) == -1)
		return fail("chdir to ", p.maildir, errtext(errno));
	maildir_clean_tmp(now);
	if (maildir_scan(&list, now) == -1)
		return fail("scan ", p.maildir, errtext(errno));
	if (list.n)
		code = move(&p, &list);
	maildir_list_free(&list);
	return code;
}
