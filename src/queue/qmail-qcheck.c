/* qmail-qcheck - is the queue what its format says?  Reports in words, repairs on request.
 * Run by: the administrator, as root.
 * Usage: qmail-qcheck [-nrv] [-s split] [queue]
 *        queue-fix [-i | -N] [-v] [-s split] queue	the same program under this name
 * queue: a directory, default HOME/queue.  fd 1: a line for each finding.  fd 2: what went wrong,
 * and the questions of -i, answered on fd 0.  Environment: unused.
 * Exit: 0 nothing to report, or (-r) everything repaired; 1 findings (queue-fix: repaired ones,
 * too); 100 called wrongly; 111 the queue cannot be looked at. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "queue/qcheck.h"

#define CODE_FINDINGS 1
#define FIX_NAME "queue-fix"

struct call {
	bool fix;		/* under the name queue-fix */
	bool verbose;
	const char *queue;
	struct qcheck check;
};

static int
usage(bool fix)
{
	return report_fail(CODE_PERM, fix ? "usage: queue-fix [-i | -N] [-v] [-s split] queue" :
	    "usage: qmail-qcheck [-nrv] [-s split] [queue]");
}

static bool
take_option(struct call *k, int option, const char *value)
{
	uint64_t split;

	switch (option) {
	case 'v':
		k->verbose = true;
		return true;
	case 'n':
	case 'N':
		k->check.set.pretend = true;
		return true;
	case 'r':
		k->check.set.repair = true;
		return true;
	case 'i':
		k->check.set.ask = true;
		return true;
	case 's':
		if (num_parse_u64(value, strlen(value), QUEUE_SPLIT_MAX, &split) != NUM_OK ||
		    split == 0)
			return false;
		k->check.set.split = (unsigned)split;
		return true;
	default:
		return false;
	}
}

/* 0, or the exit code. */
static int
read_arguments(struct call *k, int argc, char **argv)
{
	struct opt o = OPT_INIT(argc, argv);
	int n;

	k->fix = strcmp(opt_program(&o), FIX_NAME) == 0;
	k->check.set.repair = k->check.set.tell_pid = k->fix;
	for (int c; (c = opt_next(&o, k->fix ? "iNvs:" : "nrvs:")) != OPT_END;) {
		if (c == OPT_ILLEGAL || c == OPT_MISSING)
			opt_complain(&o, 2, c);
		if (!take_option(k, c, o.value))
			return usage(k->fix);
	}
	n = argc - o.index;
	if (n > 1 || (k->fix && n != 1) || (k->check.set.ask && k->check.set.pretend))
		return usage(k->fix);
	k->queue = n ? argv[o.index] : QMAIL_HOME "/queue";
	k->check.set.quiet = k->fix && !k->verbose;
	return 0;
}

static int
fatal(const struct call *k, const char *doing, const char *where)
{
	const char *name = k->fix ? FIX_NAME : "qmail-qcheck";
	int error = errno;

	return report_fail(CODE_TEMP, "%s: fatal: unable to %s %s%s%s", name, doing, where,
	    error ? ": " : "", error ? errtext(error) : "");
}

static void
summary(const struct call *k)
{
	const struct qcheck *c = &k->check;

	if (k->fix) {
		report_line(1, "queue-fix finished...");
		return;
	}
	report_line(1, "%s: split %u, %s todo; messages arriving or going: %ju, with an envelope "
	    "arriving: %ju, in todo: %ju, preprocessed: %ju, illegal: %ju; findings: %ju, "
	    "repaired: %ju", k->queue, c->q.split, c->q.big_todo ? "split" : "flat",
	    (uintmax_t)c->states[QSTATE_S2], (uintmax_t)c->states[QSTATE_S3],
	    (uintmax_t)c->states[QSTATE_S4], (uintmax_t)c->states[QSTATE_S5],
	    (uintmax_t)c->states[QSTATE_ILLEGAL], (uintmax_t)c->findings,
	    (uintmax_t)(c->findings - c->left));
}

int
main(int argc, char **argv)
{
	struct call k = { .check = { .lock = -1 } };
	struct sandbox_path here = { ".", SANDBOX_READ };
	uint64_t count;
	int code;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if ((code = read_arguments(&k, argc, argv)) != 0)
		return code;
	if (k.check.set.repair && !k.check.set.pretend)
		here.use = SANDBOX_BUILD;
	if (qcheck_accounts(&k.check) == -1)
		return fatal(&k, k.check.doing, k.check.where);
	if (chdir(k.queue) == -1)
		return fatal(&k, "chdir to", k.queue);
	if (sandbox_paths(&here, 1) == -1)
		return fatal(&k, "restrict itself to", k.queue);
	umask(077);
	if (qcheck_run(&k.check) == -1)
		code = fatal(&k, k.check.doing, k.check.where);
	count = k.fix ? k.check.findings : k.check.left;
	qcheck_free(&k.check);
	if (code != 0)
		return code;
	if (k.verbose)
		summary(&k);
	return count ? CODE_FINDINGS : CODE_OK;
}
