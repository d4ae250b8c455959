/* qsmhook - give a message to a delivery program that was made for sendmail.
 *
 *	qsmhook [-DFlMmnPs] [-x prefix] program [ arg ... ]
 *
 * Run by: a .qmail line.  fd 0: the message, from where it stands; the program gets a pipe with
 * UFLINE, RPLINE and DTLINE, as far as they are wanted, and the message.
 * -n: no UFLINE; -P: RPLINE; -l: DTLINE; -x: LOCAL without this prefix.  D, F, M, m and s mean
 * nothing.  In the program's name and arguments %g is SENDER, %u LOCAL, %h HOST, %% a percent sign;
 * any other % goes, with the byte after it.
 * Environment: DTLINE, RPLINE, UFLINE, LOCAL, HOST, SENDER must be set.
 * Exit: the program's own code, even if it did not read everything; 100 called wrongly or no such
 * program; 111 temporary failure, or the program crashed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/feed.h"
#include "lib/io.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sig.h"

struct hook {
	struct span ufline, rpline, dtline;
	struct span local, host, sender;
	bool with_ufline, with_rpline, with_dtline;
	struct buf head;
	struct buf *args;	/* expanded */
	char **argv;		/* their texts; NULL at the end */
	size_t n;
};

static int
incorrect_usage(void)
{
	return report_fail(CODE_PERM, "qsmhook: fatal: incorrect usage");
}

static int
temporary_problem(void)
{
	return report_fail(CODE_TEMP, "qsmhook: fatal: temporary problem");
}

static bool
take_environment(struct hook *h)
{
	const struct { const char *name; struct span *value; } wanted[] = {
		{ "DTLINE", &h->dtline }, { "RPLINE", &h->rpline }, { "UFLINE", &h->ufline },
		{ "LOCAL", &h->local }, { "HOST", &h->host }, { "SENDER", &h->sender },
	};

	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		const char *value = getenv(wanted[i].name);

		if (!value)
			return false;
		*wanted[i].value = span_str(value);
	}
	return true;
}

/* Index of the program's name, or 0. */
static int
take_options(struct hook *h, int argc, char **argv)
{
	struct opt o = OPT_INIT(argc, argv);

	h->with_ufline = true;
	for (int c; (c = opt_next(&o, "DFMmslPnx:")) != OPT_END;)
		switch (c) {
		case 'l':
			h->with_dtline = true;
			break;
		case 'P':
			h->with_rpline = true;
			break;
		case 'n':
			h->with_ufline = false;
			break;
		case 'x':
			if (ascii_istarts(h->local, span_str(o.value)))
				h->local = span_tail(h->local, span_str(o.value).n);
			break;
		case OPT_ILLEGAL:
		case OPT_MISSING:
			return 0;
		default:
			break;	/* sendmail's, of no use here */
		}
	return o.index < argc ? o.index : 0;
}

static void
expand(const struct hook *h, const char *arg, struct buf *to)
{
	for (; *arg; arg++) {
		if (*arg != '%') {
			buf_addc(to, *arg);
			continue;
		}
		switch (*++arg) {
		case '\0':
			return;
		case '%':
			buf_addc(to, '%');
			break;
		case 'g':
			buf_addspan(to, h->sender);
			break;
		case 'h':
			buf_addspan(to, h->host);
			break;
		case 'u':
			buf_addspan(to, h->local);
			break;
		default:
			break;
		}
	}
}

/* false: out of memory. */
static bool
prepare(struct hook *h, size_t n, char **args)
{
	if (h->with_ufline)
		buf_addspan(&h->head, h->ufline);
	if (h->with_rpline)
		buf_addspan(&h->head, h->rpline);
	if (h->with_dtline)
		buf_addspan(&h->head, h->dtline);
	h->args = calloc(n, sizeof *h->args);
	h->argv = calloc(n + 1, sizeof *h->argv);
	if (!h->args || !h->argv || !buf_ok(&h->head))
		return false;
	for (h->n = 0; h->n < n; h->n++) {
		struct buf *arg = &h->args[h->n];

		expand(h, args[h->n], arg);
		buf_addc(arg, '\0');
		h->argv[h->n] = arg->p;
		if (!buf_ok(arg)) {
			h->n++;
			return false;
		}
	}
	return true;
}

static int
run(const struct hook *h)
{
	int code;

	switch (feed_run(h->argv, buf_span(&h->head), 0, &code)) {
	case FEED_OK:
		return code;
	case FEED_EXEC:
		if (!errtext_temporary(errno))
			return report_fail(CODE_PERM, "qsmhook: fatal: command not found");
		return temporary_problem();
	case FEED_READ:
		return report_fail(CODE_TEMP, "qsmhook: fatal: unable to read message");
	default:
		return temporary_problem();
	}
}

static void
release(struct hook *h)
{
	for (size_t i = 0; i < h->n; i++)
		buf_free(&h->args[i]);
	free(h->args);
	free(h->argv);
	buf_free(&h->head);
}

int
main(int argc, char **argv)
{
	struct hook h = { 0 };
	int first, code;

	sig_ignore(SIGPIPE);
	if (fcntl(0, F_GETFD) == -1)
		return report_fail(CODE_TEMP, "qsmhook: fatal: unable to read message");
	if (io_open_standard() == -1)
		return temporary_problem();
	if (!take_environment(&h) || !(first = take_options(&h, argc, argv)))
		return incorrect_usage();
	code = prepare(&h, (size_t)(argc - first), argv + first) ? run(&h) : temporary_problem();
	release(&h);
	return code;
}
