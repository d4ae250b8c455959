/* qmail-queue - put one message into the queue.
 * Run by: anybody; set-uid to the owner of the queue (qmailq), gid stays the caller's.
 * fd 0: message, fd 1: envelope (open for reading).  Arguments: unused.  No output.
 * Environment: QMAILAUTHENTICATED, which anybody may have set to anything (mail/authres.h).
 * Controls: taps; with that variable authservid, me.
 * Exit: 0 queued; else a code of queue/qqcode.h.
 * States: S1 -> S4, see queue/enqueue.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/uids.h"
#include "mail/authres.h"
#include "queue/enqueue.h"
#include "queue/qqcode.h"
#include "queue/trigger.h"

#define RECEIVED_SIZE 160

static void
on_alarm(int signo)
{
	(void)signo;
	_exit(QQ_TIMEOUT);	/* no cleaning up: the files may already be somebody else's */
}

static void
on_bug(int signo)
{
	(void)signo;
	_exit(QQ_BUG);
}

static void
set_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGVTALRM, SIGPROF, SIGQUIT, SIGINT, SIGHUP,
		SIGXCPU, SIGXFSZ };
	static const int bugs[] = { SIGILL, SIGABRT, SIGFPE, SIGBUS, SIGSEGV, SIGSYS };

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		sig_ignore(ignored[i]);
	for (size_t i = 0; i < sizeof bugs / sizeof *bugs; i++)
		sig_catch(bugs[i], on_bug);
	sig_catch(SIGALRM, on_alarm);
	sig_unblock_all();
	(void)alarm(QLAYOUT_WRITER_MAX_S);
}

/* Some C libraries open /dev/null for a set-uid program in the place of each standard descriptor
 * that is closed, for reading and writing.  That is no message, not even an empty one. */
static bool
is_stand_in(int fd, int flags)
{
	struct stat st, null;

	return (flags & O_ACCMODE) == O_RDWR && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	    stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

/* A file of the queue that got number 0 or 1 would be read as the message. */
static enum qqcode
check_descriptors(void)
{
	int flags = fcntl(0, F_GETFL);

	if (flags == -1 || is_stand_in(0, flags) || fcntl(1, F_GETFL) == -1)
		return QQ_READ;
	return fcntl(2, F_GETFD) == -1 && io_open_standard() == -1 ? QQ_PID : QQ_OK;
}

/* An archive that is wanted is not left out because its file is broken. */
static enum qqcode
read_taps(struct enqueue *e)
{
	switch (taps_read(&e->taps)) {
	case TAPS_OK:
		return QQ_OK;
	case TAPS_UNREADABLE:
		return errno == ENOMEM ? QQ_MEMORY : QQ_INTD;
	case TAPS_MALFORMED:
		break;
	}
	return QQ_CONFIG;
}

/* The field of the results that the variable tells, if there is one. */
static enum qqcode
read_results(struct buf *field)
{
	const char *results = getenv(AUTHRES_VARIABLE), *unread;
	struct buf id = { 0 };
	enum qqcode code = QQ_OK;

	if (!results || !*results)
		return QQ_OK;
	if (authres_id(NULL, &id, &unread) != CTL_FOUND)
		code = QQ_CONFIG;
	else
		(void)authres_put_field(field, buf_span(&id), span_str(results));
	buf_free(&id);
	return code == QQ_OK && !buf_ok(field) ? QQ_MEMORY : code;
}

static enum qqcode
enter_queue(struct enqueue *e, struct buf *field)
{
	struct stat st;
	enum qqcode code;

	if (chdir(QMAIL_HOME) == -1)
		return QQ_HOME;
	if ((code = read_taps(e)) != QQ_OK || (code = read_results(field)) != QQ_OK)
		return code;
	/* Not its owner: not installed set-uid, so nothing could be created, or worse, could. */
	if (chdir("queue") == -1 || stat(".", &st) == -1 || st.st_uid != geteuid() ||
	    qlayout_detect(&e->layout) == -1)
		return QQ_QUEUE;
	return QQ_OK;
}

/* How mail of each of our accounts is described. */
static const struct known {
	const char *account, *how;
} known[] = {
	{ USER_DAEMON, "from network" },
	{ USER_SEND, "for bounce" },
	{ USER_ALIAS, "by alias" },
};

/* NULL: none of ours, which is only believed when ours are all there. */
static enum qqcode
find_caller(uid_t caller, const char **how)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		uid_t uid;
		gid_t gid;

		if (uids_user(known[i].account, &uid, &gid) != UIDS_FOUND)
			return QQ_ACCOUNTS;
		if (uid == caller)
			*how = known[i].how;
	}
	return QQ_OK;
}

/* Writes who ran us: `from network`, `by uid 89`, ...  Uids decide: another account that shares one
 * may stand earlier in the database, so only a name of ours makes one lookup enough.  Trouble with
 * the account database must not turn mail from the network into mail from a user; but who has an
 * account under another name is not refused for what ours lack. */
static enum qqcode
describe_caller(char *how, size_t size, uid_t caller)
{
	struct account a = { 0 };
	enum uids_status status = uids_account_of(caller, &a);
	enum qqcode code = status == UIDS_FAILED ? QQ_ACCOUNTS : QQ_OK;
	const char *special = NULL;

	for (size_t i = 0; status == UIDS_FOUND && i < sizeof known / sizeof *known; i++)
		if (strcmp(buf_str(&a.name), known[i].account) == 0)
			special = known[i].how;
	uids_account_free(&a);
	if (code == QQ_OK && !special)
		code = find_caller(caller, &special);
	if (status == UIDS_FOUND)
		code = QQ_OK;		/* he has a name, and it is none of ours */
	if (code != QQ_OK)
		return code;
	if (special)
		return snprintf(how, size, "%s", special) < 0 ? QQ_BUG : QQ_OK;
	return snprintf(how, size, "by uid %ju", (uintmax_t)caller) < 0 ? QQ_BUG : QQ_OK;
}

/* `Received: (qmail 12345 invoked by uid 89); 26 Sep 1995 04:46:54 -0000` LF */
static enum qqcode
received_line(const struct enqueue *e, char *line, size_t *n)
{
	char how[32], date[DATE_SIZE];
	enum qqcode code;
	int len;

	if ((code = describe_caller(how, sizeof how, e->uid)) != QQ_OK)
		return code;
	date_header(date, e->start);
	len = snprintf(line, RECEIVED_SIZE, "Received: (qmail %jd invoked %s); %s\n",
	    (intmax_t)e->pid, how, date);
	if (len < 0 || len >= RECEIVED_SIZE)
		return QQ_BUG;
	*n = (size_t)len;
	return QQ_OK;
}

static enum qqcode
restrict_self(void)
{
	static const struct sandbox_path queue[] = { { ".", SANDBOX_CHANGE } };

	return sandbox_paths(queue, sizeof queue / sizeof *queue) == -1 ? QQ_QUEUE : QQ_OK;
}

/* Whoever scans todo can say in the log what is the matter with the disk (send/disk.h). */
static void
report_trouble(enum qqcode code)
{
	if (code == QQ_WRITE || (code >= QQ_PID && code <= QQ_TODO))
		trigger_pull();
}

int
main(void)
{
	struct enqueue e = ENQUEUE_EMPTY;
	struct buf results = { 0 };
	char received[RECEIVED_SIZE];
	size_t received_len;
	enum qqcode code;

	umask(033);
	set_signals();
	e.uid = getuid();
	e.pid = getpid();
	e.start = date_now();
	if ((code = check_descriptors()) || (code = enter_queue(&e, &results)) ||
	    (code = received_line(&e, received, &received_len)) || (code = restrict_self()))
		return (int)code;
	e.results = buf_span(&results);
	if ((code = enqueue_reserve(&e)) ||
	    (code = enqueue_message(&e, span_of(received, received_len), 0)) ||
	    (code = enqueue_envelope(&e, 1)) || (code = enqueue_publish(&e))) {
		code = enqueue_abandon(&e, code);
		report_trouble(code);
		return (int)code;
	}
	buf_free(&results);
	trigger_pull();		/* a lost wake-up only delays */
	return QQ_OK;
}
