/* qmail-chkuser - say whether recipients exist, one after the other.
 * Run by: qmail-smtpd, once for a session that wants it (set-uid qmailp, so that the parser of the
 * network's bytes need not see who has mail here).  Whoever runs it becomes qmailp for good; others
 * than servers it does not serve, because their processes would count as qmailp's, whose number may
 * have a limit, and could not be ended by them.
 * fd 0: questions, fd 1: answers (mail/rcptask.h); ends with its input, or after an hour without a
 * question.  Arguments, environment: unused.
 * Controls: tlsusers; me envnoathost locals percenthack virtualdomains.
 * Exit: 0 end of input, CODE_PERM something that is no question, CODE_TEMP cannot work, also: not
 * for you. */
#include <signal.h>
#include <unistd.h>

#include "lib/asker.h"
#include "lib/caller.h"
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "mail/rcptask.h"
#include "users/exists.h"

static int
answer(void *data, struct span question, struct buf *answer)
{
	struct rcptask q;

	if (rcptask_get(question, &q) == -1)
		return CODE_PERM;
	buf_addc(answer, (char)exists_check(data, &q));
	return CODE_OK;
}

int
main(void)
{
	static const struct sandbox_path all = { "/", SANDBOX_READ };
	struct exists e = { 0 };
	struct asker_server server = { .answer = answer, .data = &e,
		.question = BUF_CAP(RCPTASK_QUESTION_MAX), .text = BUF_CAP(2),
		.idle_ms = ASKER_IDLE_MAX_MS };
	int code;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1)
		return CODE_TEMP;
	if (!caller_is_server())
		return report_fail(CODE_TEMP, "qmail-chkuser: fatal: only root, " USER_DAEMON
		    " and accounts in control/tlsusers may use it");
	if (sys_keep_setid(getegid()) == -1 || sandbox_paths(&all, 1) == -1 ||
	    exists_read(&e) == -1)
		return CODE_TEMP;
	code = asker_serve(&server);
	exists_free(&e);
	return code;
}
