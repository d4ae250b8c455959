/* preline - give a message to a program with the lines in front that mail readers want.
 *
 *	preline [-frdFRD] cmd [ arg ... ]
 *
 * Run by: a .qmail line.  fd 0: the message, from where it stands; the program gets a pipe.
 * Environment: UFLINE, RPLINE, DTLINE, written in that order; -f, -r, -d leave one out, the
 * capitals take that back.  All three must be set.
 * Exit: the program's own code, even if it did not read everything; 100 called wrongly or no such
 * program; 111 temporary failure, or the program crashed. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/opt.h"
#include "lib/proc.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "local/report.h"
#include "local/tool.h"

#define COPY_SIZE 4096
#define LINES 3

static const char name[] = "preline";

struct preline {
	const char *lines[LINES];	/* NULL: left out */
	char *const *argv;
	int pipe[2];
};

static int
usage(void)
{
	return report_fail(CODE_PERM, "preline: usage: preline cmd [ arg ... ]");
}

static int
parse_arguments(struct preline *p, int argc, char **argv)
{
	static const char *const variables[LINES] = { "UFLINE", "RPLINE", "DTLINE" };
	static const char letters[] = "frd";
	struct opt o = OPT_INIT(argc, argv);
	bool enabled[LINES] = { true, true, true };

	for (size_t i = 0; i < LINES; i++)
		if (!(p->lines[i] = getenv(variables[i])))
			return usage();
	for (int c; (c = opt_next(&o, "frdFRD")) != OPT_END;) {
		size_t at = span_chr(span_str(letters), ascii_lower((char)c));

		if (at == LINES) {
			opt_complain(&o, 2, c);
			return usage();
		}
		enabled[at] = ascii_lower((char)c) != c;
	}
	if (o.index == argc)
		return usage();
	for (size_t i = 0; i < LINES; i++)
		if (!enabled[i])
			p->lines[i] = NULL;
	p->argv = argv + o.index;
	return CODE_OK;
}

/* The program may stop reading when it likes: that is no failure. */
static int
feed(const struct preline *p)
{
	char in[COPY_SIZE], piece[COPY_SIZE];
	struct io_out out;
	ssize_t n = 0;

	io_out_init(&out, p->pipe[1], piece, sizeof piece);
	for (size_t i = 0; i < LINES; i++)
		if (p->lines[i])
			io_puts(&out, p->lines[i]);
	while (out.status == IO_OK && (n = io_read(0, in, sizeof in)) > 0)
		io_put(&out, in, (size_t)n);
	if (n != -1 && (io_flush(&out) == 0 || errno == EPIPE))
		return CODE_OK;
	return report_fail(CODE_TEMP, "%s: fatal: unable to copy input: %s", name, errtext(errno));
}

static int
run(struct preline *p)
{
	enum proc_step step = PROC_FORK;
	int fed, code;
	pid_t pid;

	if (sys_pipe(p->pipe) == -1)
		return report_fail(CODE_TEMP, "%s: fatal: unable to create pipe: %s", name,
		    errtext(errno));
	pid = proc_spawn(&(struct proc_spawn){ .argv = p->argv, .search = true,
	    .fds = { { 0, p->pipe[0] } }, .nfds = 1 }, &step);
	if (pid == -1 && step == PROC_FORK)
		return report_fail(CODE_TEMP, "%s: fatal: unable to fork: %s", name,
		    errtext(errno));
	if (pid == -1)
		return report_fail(errtext_temporary(errno) ? CODE_TEMP : CODE_PERM,
		    "%s: fatal: unable to run %s: %s", name, p->argv[0], errtext(errno));
	(void)close(p->pipe[0]);
	fed = feed(p);
	(void)close(p->pipe[1]);
	code = tool_wait(name, pid);
	return fed == CODE_OK ? code : fed;
}

int
main(int argc, char **argv)
{
	struct preline p = { .pipe = { -1, -1 } };
	int code;

	sig_ignore(SIGPIPE);
	if (tool_start(name) != CODE_OK)
		return CODE_TEMP;
	code = parse_arguments(&p, argc, argv);
	return code == CODE_OK ? run(&p) : code;
}
