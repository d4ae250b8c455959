/* qmail-tls - the TLS of the mail system, and the only program of it that holds a private key or
 * parses what strangers send as TLS.
 * Run by: qmail-remote, as qmailr (-c, tls/verdict.h); qmail-smtpd and qmail-popup, as qmaild or
 * root (-u, tls/ucspi.h); tcpserver, in front of a server (-s); tcpserver-ssl and administrators
 * (-t).  The file is set-uid qmailt: keys are read as that account, then all other power is given
 * up, and only then a byte is read from the network.
 * Environment: TLSCIPHERS (servers).
 * Exit: 0 the connection has ended; 1 no TLS with the other end; 100 called wrongly, or by an
 * account that it does not serve; 111 trouble of this host.  With -s the program's, unless it was
 * not started. */
#include <signal.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "tls/connect.h"
#include "tls/relay.h"

#define FD_MAX 65535

struct arguments {
	char mode;		/* c, s, t, u */
	struct connect_how connect;
	struct relay_how relay;
};

static int
usage(void)
{
	return report_fail(CODE_PERM, "usage: qmail-tls -c -h name [-a cafile] [-C ciphers] "
	    "[-k clientcert]\n       qmail-tls -s [-e] [-n fd] program [arg ...]\n"
	    "       qmail-tls -t [-n fd]\n       qmail-tls -u");
}

/* -1: one more mode, or no number. */
static int
take(struct arguments *a, int letter, const char *value)
{
	uint64_t fd;

	switch (letter) {
	case 'h': a->connect.host = value; return 0;
	case 'a': a->connect.authorities = value; return 0;
	case 'C': a->connect.ciphers = value; return 0;
	case 'k': a->connect.key = value; return 0;
	case 'e': a->relay.environment = true; return 0;
	case 'n':
		if (num_parse_u64(value, strlen(value), FD_MAX, &fd) != NUM_OK || fd < 3)
			return -1;
		a->relay.certificate = (int)fd;
		return 0;
	case 'c': case 's': case 't': case 'u':
		if (a->mode)
			return -1;
		a->mode = (char)letter;
		return 0;
	default:
		return -1;
	}
}

int
main(int argc, char *argv[])
{
	struct opt o = OPT_INIT(argc, argv);
	struct arguments a = { .relay = { .certificate = -1 } };

	if (io_open_standard() == -1)
		return CODE_TEMP;
	for (int c; (c = opt_next(&o, "csteuh:a:C:k:n:")) != OPT_END;)
		if (take(&a, c, o.value) == -1)
			return usage();
	sig_ignore(SIGPIPE);
	if (a.mode == 's' && o.index < argc)
		return relay_program(argv + o.index, &a.relay);
	if (o.index != argc)
		return usage();
	if (a.mode == 'c' && a.connect.host)
		return connect_run(&a.connect);
	if (a.mode == 'u')
		return relay_begun();
	return a.mode == 't' ? relay_test(&a.relay) : usage();
}
