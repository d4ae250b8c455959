/* qmail-chkuser - say whether recipients exist, one after the other.
 * Run by: qmail-smtpd, once for a session that wants it (set-uid qmailp, so that the parser of the
 * network's bytes need not see who has mail here).  Whoever runs it becomes qmailp for good.
 * fd 0: questions, fd 1: answers (mail/rcptask.h); ends with its input.  Arguments, environment:
 * unused.  Controls: me envnoathost locals percenthack virtualdomains.
 * Exit: 0 end of input, CODE_PERM something that is no question, CODE_TEMP cannot work. */
#include <signal.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "mail/rcptask.h"
#include "users/exists.h"

#define INPUT 4096

static int
answer_all(const struct exists *e)
{
	char buffer[INPUT];
	struct buf text = BUF_CAP(RCPTASK_QUESTION_MAX);
	enum io_status status;
	struct io_in in;
	int code = CODE_OK;

	io_in_init(&in, 0, buffer, sizeof buffer);
	in.timeout_ms = DEADLINE_NONE;
	while (code == CODE_OK && (status = io_get_until(&in, '\0', &text)) == IO_OK) {
		struct rcptask q;
		char answer[2] = "";

		if (rcptask_get(buf_span(&text), &q) == -1) {
			code = CODE_PERM;
		} else {
			answer[0] = (char)exists_check(e, &q);
			if (io_write_all(1, answer, sizeof answer) == -1)
				code = CODE_TEMP;
		}
		buf_reset(&text);
	}
	if (code == CODE_OK && (status != IO_EOF || text.n || !buf_ok(&text)))
		code = CODE_PERM;
	buf_free(&text);
	return code;
}

int
main(void)
{
	static const struct sandbox_path all = { "/", SANDBOX_READ };
	struct exists e = { 0 };
	int code;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1 || sys_keep_setid(getegid()) == -1 ||
	    sandbox_paths(&all, 1) == -1 || chdir(QMAIL_HOME) == -1 || exists_read(&e) == -1)
		return CODE_TEMP;
	code = answer_all(&e);
	exists_free(&e);
	return code;
}
