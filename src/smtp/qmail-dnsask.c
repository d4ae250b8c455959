/* qmail-dnsask - ask the name system for qmail-smtpd, one question after the other.
 * Run by: qmail-smtpd, as its user, for a session in which some check needs it.  fd 0: questions,
 * fd 1: answers (smtp/dnsask.h); ends with its input.  Arguments: unused.  Environment: what
 * resolver(5) says.  After resolv.conf is read, no file can be opened.
 * Exit: 0 end of input, CODE_PERM something that is no question, CODE_TEMP cannot work. */
#include <signal.h>

#include "lib/asker.h"
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "smtp/dnsanswer.h"
#include "smtp/dnsask.h"

static int
answer(void *data, struct span question, struct buf *answer)
{
	return dnsanswer_add(data, question, answer) == 0 ? CODE_OK : CODE_PERM;
}

int
main(void)
{
	struct asker_server server = { .answer = answer, .question = BUF_CAP(ASKER_QUESTION_MAX),
		.text = BUF_CAP(DNSASK_ANSWER_MAX + 1), .idle_ms = ASKER_IDLE_MAX_MS };
	struct dns *d = NULL;
	int code = CODE_TEMP;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == 0 && (d = dns_open()) && sandbox_paths(NULL, 0) == 0) {
		server.data = d;
		code = asker_serve(&server);
	}
	dns_close(d);
	return code;
}
