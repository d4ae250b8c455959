/* qmail-local - deliver one message to one local recipient.
 *
 *	qmail-local [-nN] user homedir local dash ext domain sender aliasempty
 *	qmail-local "   ..."		descriptor 0: see queue/stayproto.h
 *
 * Run by: qmail-lspawn, as the recipient's user and group.  -n: only tell what would be done.
 * fd 0: the message, a seekable file.  fd 1: report of success.  fd 2: report of trouble.
 * Environment: passed on to programs, with what qmail-command(8) lists added; QMAILQUEUE is used.
 * Exit: 0 delivered, 100 permanent failure, 111 temporary failure.
 * The first instruction that fails ends the run; what was delivered before stays delivered, and is
 * delivered again at the next attempt. */
#include <signal.h>
#include <sys/stat.h>

#include "lib/conf.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "local/delivery.h"
#include "local/many.h"
#include "local/steps.h"
#include "queue/stay.h"

static int
usage(void)
{
	return report_fail(CODE_PERM,
	    "qmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender "
	    "aliasempty");
}

static int
parse_arguments(struct delivery *d, int argc, char **argv)
{
	struct opt o = OPT_INIT(argc, argv);

	for (int c; (c = opt_next(&o, "nN")) != OPT_END;) {
		if (c != 'n' && c != 'N') {
			opt_complain(&o, 2, c);
			return usage();
		}
		d->describe = c == 'n';
	}
	if (argc - o.index != DELIVERY_OPERANDS || argv[o.index + 1][0] != '/')
		return usage();
	argv += o.index;
	delivery_set(d, argv);
	return CODE_OK;
}

static int
deliver_once(int argc, char **argv)
{
	struct delivery d = { .file = DOTQMAIL_EMPTY };
	int code = parse_arguments(&d, argc, argv);

	if (code == CODE_OK)
		code = steps_run(&d);
	delivery_free(&d);
	return code;
}

int
main(int argc, char **argv)
{
	umask(077);
	sig_ignore(SIGPIPE);
	sig_ignore(SIGXFSZ);	/* a full quota is an error of write, not our end */
	if (!stay_wanted(argc, argv))
		return deliver_once(argc, argv);
	many_run(argv);
	return CODE_OK;
}
