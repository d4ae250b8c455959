/* qmail-remote - send one message by SMTP.
 *
 *	qmail-remote host sender recipient...
 *	qmail-remote "   ..."		descriptor 0: see queue/stayproto.h
 *
 * Run by: qmail-rspawn, as qmailr:qmail.
 * fd 0: the message; fd 1: the report; fd 2 is a copy of fd 1, so nothing is ever written there.
 * Control files: remote/settings.h.  Environment: unused.  Starts qmail-tls when TLS begins.
 * Exit: always 0; the report tells the result (qmail-remote(8)). */
#include <signal.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/sig.h"
#include "queue/stay.h"
#include "remote/many.h"
#include "remote/ready.h"

#define MIN_ARGUMENTS 4

static void
deliver_once(int argc, char *const *argv)
{
	struct ready ready = { .dns = NULL };
	const char *trouble = ready_read(&ready);

	if (trouble)
		ready_print(trouble);
	else
		ready_deliver(&ready, argv[1], argv[2], argv + 3, (size_t)(argc - 3));
	ready_free(&ready);
}

int
main(int argc, char **argv)
{
	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1)
		return CODE_OK;
	if (stay_wanted(argc, argv))
		many_run(argv);
	else if (argc < MIN_ARGUMENTS)
		ready_print("DThis program was called with too few arguments. (#5.3.5)\n");
	else
		deliver_once(argc, argv);
	return CODE_OK;
}
