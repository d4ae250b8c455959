/* qmail-queue - put one message into the queue.
 * Run by: anybody; set-uid to the owner of the queue (qmailq), gid stays the caller's.
 * fd 0: message, fd 1: envelope (open for reading).  Arguments, environment: unused.  No output.
 * Exit: 0 queued; else a code of queue/qqcode.h.
 * States: S1 -> S4, see queue/enqueue.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/uids.h"
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

/* A file of the queue that got number 0 or 1 would be read as the message. */
static enum qqcode
check_descriptors(void)
{
	if (fcntl(0, F_GETFD) == -1 || fcntl(1, F_GETFD) == -1)
		return QQ_READ;
	return io_open_standard() == -1 ? QQ_PID : QQ_OK;
}

static enum qqcode
enter_queue(struct enqueue *e)
{
	struct stat st;

	if (chdir(QMAIL_HOME) == -1)
		return QQ_HOME;
	/* Not its owner: not installed set-uid, so nothing could be created, or worse, could. */
	if (chdir("queue") == -1 || stat(".", &st) == -1 || st.st_uid != geteuid() ||
	    qlayout_detect(&e->layout) == -1)
		return QQ_QUEUE;
	return QQ_OK;
}

/* Writes who ran us: `from network`, `by uid 89`, ...  Trouble with the account database must not
 * turn mail from the network into mail from a user. */
static enum qqcode
describe_caller(char *how, size_t size, uid_t caller)
{
	static const struct {
		const char *account, *how;
	} known[] = {
		{ USER_DAEMON, "from network" },
		{ USER_SEND, "for bounce" },
		{ USER_ALIAS, "by alias" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		uid_t uid;
		gid_t gid;

		if (uids_user(known[i].account, &uid, &gid) != UIDS_FOUND)
			return QQ_ACCOUNTS;
		if (uid == caller)
			return snprintf(how, size, "%s", known[i].how) < 0 ? QQ_BUG : QQ_OK;
	}
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

int
main(void)
{
	struct enqueue e = ENQUEUE_EMPTY;
	char received[RECEIVED_SIZE];
	size_t received_len;
	enum qqcode code;

	umask(033);
	set_signals();
	e.uid = getuid();
	e.pid = getpid();
	e.start = date_now();
	if ((code = check_descriptors()) || (code = enter_queue(&e)) ||
	    (code = received_line(&e, received, &received_len)) || (code = restrict_self()))
		return (int)code;
	if ((code = enqueue_reserve(&e)) ||
	    (code = enqueue_message(&e, span_of(received, received_len), 0)) ||
	    (code = enqueue_envelope(&e, 1)) || (code = enqueue_publish(&e)))
		return (int)enqueue_abandon(&e, code);
	trigger_pull();		/* a lost wake-up only delays */
	return QQ_OK;
}
