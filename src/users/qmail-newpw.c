/* qmail-newpw - make users/poppasswd.cdb of users/poppasswd, and users/popsecrets.cdb of
 * users/popsecrets, if that exists.
 * Run by: an administrator or a control panel, as root, after changing one of them.  No arguments,
 * no environment, works in the home directory.  fd 2: one line about a failure, further lines with
 * the line number and the reason, and warnings.
 * Exit: 0 done, the next login uses them; 111 failure, the database is as it was. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sys.h"
#include "lib/uids.h"
#include "mail/poppasswd.h"
#include "users/popbuild.h"
#include "lib/rebuild.h"

struct job {
	const char *source, *temporary, *target;
	enum popbuild_status (*build)(struct span text, int fd, struct popbuild_place *place);
};

static int
complain(const char *doing, const char *what)
{
	return report_fail(CODE_TEMP, "qmail-newpw: fatal: unable to %s %s: %s", doing, what,
	    errtext(errno));
}

static void
warn_of_mode(const char *source)
{
	struct stat st;

	if (stat(source, &st) == 0 && st.st_mode & (S_IROTH | S_IWOTH))
		report_line(2, "qmail-newpw: warning: everybody can read or write %s", source);
}

static int
publish(int fd, const struct job *job)
{
	enum rebuild_status status = rebuild_publish(fd, job->temporary, job->target);

	switch (status) {
	case REBUILD_OK:
		return CODE_OK;
	case REBUILD_DIRECTORY:
		return complain("write", "users");
	default:
		(void)complain(status == REBUILD_WRITE ? "write" : "move", job->temporary);
		(void)unlink(job->temporary);
		(void)close(fd);
		return CODE_TEMP;
	}
}

/* The account that checkpassword-smtp runs as reads it, and root. */
static int
protect(int fd)
{
	uid_t owner;
	gid_t group;

	switch (uids_user(USER_PASSWD, &owner, &group)) {
	case UIDS_FOUND:
		return fchown(fd, owner, (gid_t)-1) == -1 ? -1 : fchmod(fd, 0400);
	case UIDS_ABSENT:
		errno = ENOENT;
		return -1;
	default:
		return -1;
	}
}

static int
build(struct span text, int fd, const struct job *job)
{
	struct popbuild_place place = { 0 };

	switch (job->build(text, fd, &place)) {
	case POPBUILD_OK:
		if (protect(fd) == 0)
			return publish(fd, job);
		(void)complain("give to " USER_PASSWD, job->temporary);
		break;
	case POPBUILD_FORMAT:
		report_line(2, "qmail-newpw: fatal: bad format in %s", job->source);
		report_line(2, "qmail-newpw: it is line %llu: %s",
		    (unsigned long long)place.line, place.why);
		break;
	default:
		(void)complain("write", job->temporary);
	}
	(void)unlink(job->temporary);		/* ours: we hold the lock */
	(void)close(fd);
	return CODE_TEMP;
}

/* The source is read under the lock: while we waited it may have been replaced. */
static int
run(const struct job *job, bool optional)
{
	struct buf text = { .max = CTL_FILE_MAX };
	int code = CODE_OK, fd = rebuild_begin(job->temporary, 0600);
	enum ctl_status status;

	if (fd == -1)
		return complain("open", job->temporary);
	status = ctl_path_text(job->source, &text);
	if (status == CTL_FOUND) {
		warn_of_mode(job->source);
		code = build(buf_span(&text), fd, job);
	} else {
		if (status == CTL_ABSENT)
			errno = ENOENT;
		if (status == CTL_ERROR || !optional)
			code = complain("read", job->source);
		else if (unlink(job->target) == -1 && errno != ENOENT)
			code = complain("remove", job->target);
		(void)unlink(job->temporary);
		(void)close(fd);
	}
	buf_wipe(&text);
	return code;
}

int
main(void)
{
	static const struct job users = { POPPASSWD_SOURCE, POPPASSWD_SOURCE ".tmp",
		POPPASSWD_DATABASE, popbuild_passwd };
	static const struct job secrets = { POPSECRETS_SOURCE, POPSECRETS_SOURCE ".tmp",
		POPSECRETS_DATABASE, popbuild_secrets };
	int code;

	sys_no_core();
	(void)umask(077);
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1)
		return complain("enter", QMAIL_HOME);
	code = run(&users, false);
	return code == CODE_OK ? run(&secrets, true) : code;
}
