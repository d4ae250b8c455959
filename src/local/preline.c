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

#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/feed.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "local/tool.h"

#define LINES 3

static const char name[] = "preline";

struct preline {
	const char *lines[LINES];	/* NULL: left out */
	char *const *argv;
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

static int
complain(enum feed_status status, const char *program)
{
	switch (status) {
	case FEED_PIPE:
		return report_fail(CODE_TEMP, "%s: fatal: unable to create pipe: %s", name,
		    errtext(errno));
	case FEED_FORK:
		return report_fail(CODE_TEMP, "%s: fatal: unable to fork: %s", name,
		    errtext(errno));
	case FEED_EXEC:
		return report_fail(errtext_temporary(errno) ? CODE_TEMP : CODE_PERM,
		    "%s: fatal: unable to run %s: %s", name, program, errtext(errno));
	case FEED_READ:
	case FEED_WRITE:
		return report_fail(CODE_TEMP, "%s: fatal: unable to copy input: %s", name,
		    errtext(errno));
	case FEED_CRASH:
		return report_fail(CODE_TEMP, "%s: fatal: child crashed", name);
	default:
		return report_fail(CODE_TEMP, "%s: fatal: wait failed", name);
	}
}

static int
run(const struct preline *p)
{
	struct buf head = { 0 };
	enum feed_status status;
	int code;

	for (size_t i = 0; i < LINES; i++)
		if (p->lines[i])
			buf_adds(&head, p->lines[i]);
	if (!buf_ok(&head)) {
		buf_free(&head);
		return report_fail(CODE_TEMP, "%s: fatal: out of memory", name);
	}
	status = feed_run(p->argv, buf_span(&head), 0, &code);
	if (status != FEED_OK)
		code = complain(status, p->argv[0]);
	buf_free(&head);
	return code;
}

int
main(int argc, char **argv)
{
	struct preline p = { 0 };
	int code;

	sig_ignore(SIGPIPE);
	if (tool_start(name) != CODE_OK)
		return CODE_TEMP;
	code = parse_arguments(&p, argc, argv);
	return code == CODE_OK ? run(&p) : code;
}
