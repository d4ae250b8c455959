/* qmail-dnsask - ask the name system for qmail-smtpd, one question after the other.
 * Run by: qmail-smtpd, as its user, for a session in which some check needs it.  fd 0: questions,
 * fd 1: answers (smtp/dnsask.h); ends with its input.  Arguments: unused.  Environment: what
 * resolver(5) says.  After resolv.conf is read, no file can be opened.
 * Exit: 0 end of input, CODE_PERM something that is no question, CODE_TEMP cannot work. */
#include <signal.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "smtp/dnsanswer.h"
#include "smtp/dnsask.h"

#define INPUT 4096

static int
answer_one(struct dns *d, struct span question)
{
	struct buf answer = BUF_CAP(DNSASK_ANSWER_MAX + 1);
	int code = CODE_PERM;

	if (dnsanswer_add(d, question, &answer) == 0) {
		buf_addc(&answer, '\0');
		code = buf_ok(&answer) && io_write_all(1, answer.p, answer.n) == 0 ? CODE_OK :
		    CODE_TEMP;
	}
	buf_free(&answer);
	return code;
}

static int
answer_all(struct dns *d)
{
	char buffer[INPUT];
	struct buf text = BUF_CAP(ASKER_QUESTION_MAX);
	enum io_status status;
	struct io_in in;
	int code = CODE_OK;

	io_in_init(&in, 0, buffer, sizeof buffer);
	in.timeout_ms = DEADLINE_NONE;
	while (code == CODE_OK && (status = io_get_until(&in, '\0', &text)) == IO_OK) {
		code = answer_one(d, buf_span(&text));
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
	struct dns *d = NULL;
	int code = CODE_TEMP;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == 0 && (d = dns_open()) && sandbox_paths(NULL, 0) == 0)
		code = answer_all(d);
	dns_close(d);
	return code;
}
