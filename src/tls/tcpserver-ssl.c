/* tcpserver-ssl - tcpserver with TLS from the first byte, for scripts that were written for a
 * patched tcpserver: -s switches it on, -S off, -n FILE is the certificate with its key.
 * Run by: a service's run script, as root: FILE is opened before tcpserver gives that up.
 * argv: those of tcpserver(1), and these three.  fd, environment: passed on.
 * Becomes tcpserver, with `qmail-tls -s` in front of the program.
 * Exit: 100 called wrongly, 111 the certificate is of no use; else tcpserver's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/num.h"
#include "lib/opt.h"
#include "lib/proc.h"
#include "lib/report.h"

#define TLS_PROGRAM QMAIL_HOME "/bin/qmail-tls"
#define TCPSERVER_OPTIONS "qQvdDoO1hHrRpPx:X:t:u:g:l:b:B:c:U"	/* with its values */
#define HIGH_FD 20		/* out of the way of tcpserver's own */
#define ADDED 6			/* words: tcpserver, qmail-tls -s -n FD; NULL at the end */

extern char **environ;

struct front {
	char **argv;		/* of tcpserver, growing */
	int argc;
	const char *file;
	int on;			/* -1: neither -s nor -S */
};

static int
usage(void)
{
	return report_fail(CODE_PERM, "tcpserver-ssl: usage: tcpserver-ssl [ -sS ] [ -n file ] "
	    "[ options of tcpserver ] host port program");
}

/* One option into tcpserver's arguments, or for us. */
static int
take(struct front *f, int letter, const char *value)
{
	char *text;

	switch (letter) {
	case 's': f->on = 1; return 0;
	case 'S': f->on = 0; return 0;
	case 'n': f->file = value; return 0;
	case OPT_ILLEGAL: case OPT_MISSING: return -1;
	}
	/* `-x` and its value in one argument, which is the same to it. */
	if (!(text = malloc(3 + (value ? strlen(value) : 0))))
		return -1;
	text[0] = '-';
	text[1] = (char)letter;
	text[2] = '\0';
	if (value)
		memcpy(text + 2, value, strlen(value) + 1);
	f->argv[f->argc++] = text;
	return 0;
}

/* Can it be used?  qmail-tls says what is wrong in tcpserver's words. */
static int
test_certificate(char *fd)
{
	char name[] = "qmail-tls", test[] = "-t", from[] = "-n";
	char *const argv[] = { name, test, from, fd, NULL };
	pid_t pid = proc_spawn(&(struct proc_spawn){ .path = TLS_PROGRAM, .argv = argv }, NULL);
	int status;

	if (pid == -1)
		return report_fail(CODE_TEMP, "tcpserver: fatal: unable to run " TLS_PROGRAM ": %s",
		    strerror(errno));
	return proc_wait(pid, &status) == 0 && proc_code(status) == CODE_OK ? CODE_OK : CODE_TEMP;
}

/* What stands between tcpserver and the program. */
struct words {
	char tcpserver[sizeof "tcpserver"];
	char name[sizeof TLS_PROGRAM];
	char mode[3], from[3], fd[NUM_U64_SIZE];
};

static int
put_in_front(struct front *f, struct words *w)
{
	int low = open(f->file ? f->file : "./cert.pem", O_RDONLY | O_CLOEXEC);
	int high = low == -1 ? -1 : fcntl(low, F_DUPFD, HIGH_FD);

	if (high == -1)
		return report_fail(CODE_TEMP, "tcpserver: fatal: unable to load certificate: %s",
		    strerror(errno));
	(void)close(low);
	(void)num_format(w->fd, (uint64_t)high);
	f->argv[f->argc++] = w->name;
	f->argv[f->argc++] = w->mode;
	f->argv[f->argc++] = w->from;
	f->argv[f->argc++] = w->fd;
	return test_certificate(w->fd);
}

int
main(int argc, char *argv[])
{
	struct words words = { "tcpserver", TLS_PROGRAM, "-s", "-n", "" };
	struct opt o = OPT_INIT(argc, argv);
	struct front f = { .on = -1 };
	int code;

	if (!(f.argv = calloc((size_t)argc + ADDED, sizeof *f.argv)))
		return CODE_TEMP;
	f.argv[f.argc++] = words.tcpserver;
	for (int c; (c = opt_next(&o, "sSn:" TCPSERVER_OPTIONS)) != OPT_END;)
		if (take(&f, c, o.value) == -1)
			return usage();
	if (argc - o.index < 3)
		return usage();
	f.argv[f.argc++] = argv[o.index];
	f.argv[f.argc++] = argv[o.index + 1];
	if ((f.on == 1 || (f.on == -1 && f.file)) && (code = put_in_front(&f, &words)) != CODE_OK)
		return code;
	for (int i = o.index + 2; i < argc; i++)
		f.argv[f.argc++] = argv[i];
	proc_exec(words.tcpserver, true, f.argv, environ);
	return report_fail(CODE_TEMP, "tcpserver-ssl: fatal: unable to run tcpserver: %s",
	    strerror(errno));
}
