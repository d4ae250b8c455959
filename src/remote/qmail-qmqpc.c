/* qmail-qmqpc - hand one message to a QMQP server, in the place of qmail-queue.
 * Run by: anybody, as `qmail-queue` or by $QMAILQUEUE.  fd 0: message, fd 1: envelope (open for
 * reading); fd 6: if it is a pipe for writing, the server's reason goes there.  argv, environment:
 * unused.  Control files: me qmqpservers.
 * Exit: a code of queue/qqcode.h. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "queue/qlayout.h"
#include "remote/qmqp.h"

#define ERROR_FD 6		/* as in queue/submit.h */
#define REASON_USABLE ((size_t)2)	/* callers want more than this */

static void
on_alarm(int signo)
{
	(void)signo;
	_exit(QQ_TIMEOUT);
}

/* Does our caller listen there?  Reading ends of pipes, which older callers leak, are no reply. */
static bool
takes_reasons(void)
{
	struct stat st;
	int flags = fcntl(ERROR_FD, F_GETFL);

	return flags != -1 && (flags & O_ACCMODE) == O_WRONLY && fstat(ERROR_FD, &st) == 0 &&
	    S_ISFIFO(st.st_mode);
}

/* A connection that got number 0 or 1 would be read as the message. */
static enum qqcode
check_descriptors(void)
{
	if (fcntl(0, F_GETFD) == -1 || fcntl(1, F_GETFD) == -1)
		return QQ_READ;
	return io_open_standard() == -1 ? QQ_CONFIG : QQ_OK;
}

static enum qqcode
read_controls(struct buf *servers)
{
	struct buf me = { 0 };
	enum ctl_status status;

	if (chdir(QMAIL_HOME) == -1)
		return QQ_HOME;
	status = ctl_line("me", &me);
	buf_free(&me);
	return status != CTL_ERROR && ctl_list("qmqpservers", servers) == CTL_FOUND ? QQ_OK :
	    QQ_CONFIG;
}

/* One server after the other, until one is given the message. */
static enum qqcode
send_to_one(const struct qmqp_request *request, const struct buf *servers, struct buf *reason)
{
	enum qqcode code = QQ_CONFIG;
	struct qmqp_server server;
	bool final = false;
	struct span entry;
	size_t pos = 0;

	while (!final && ctl_next(servers, &pos, &entry))
		if (qmqp_parse_server(entry, &server))
			code = qmqp_send(request, &server, reason, &final);
	return code;
}

/* Passes the reason on, so that the exit code says only that there is one. */
static enum qqcode
tell(enum qqcode code, const struct buf *reason)
{
	if ((code != QQ_REFUSED && code != QQ_REFUSED_NOW) || !buf_ok(reason) ||
	    reason->n <= REASON_USABLE || io_write_all(ERROR_FD, reason->p, reason->n) == -1)
		return code;
	return QQ_CUSTOM;
}

int
main(void)
{
	struct qmqp_request request = QMQP_REQUEST_EMPTY;
	struct buf servers = BUF_CAP(CTL_FILE_MAX), reason = { 0 };
	bool tells = takes_reasons();
	enum qqcode code;

	sig_ignore(SIGPIPE);
	sig_ignore(SIGXFSZ);	/* a limit on files gives an error instead */
	sig_catch(SIGALRM, on_alarm);
	sig_unblock(SIGALRM);
	(void)alarm(QLAYOUT_WRITER_MAX_S);
	if ((code = check_descriptors()) == QQ_OK && (code = read_controls(&servers)) == QQ_OK &&
	    (code = qmqp_read_request(&request, 0, 1)) == QQ_OK) {
		/* Nothing but the network is needed from here on. */
		code = sandbox_paths(NULL, 0) == -1 ? QQ_NETWORK :
		    send_to_one(&request, &servers, &reason);
	}
	if (tells)
		code = tell(code, &reason);
	qmqp_free_request(&request);
	buf_free(&servers);
	buf_free(&reason);
	return (int)code;
}
