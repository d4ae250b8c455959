/* spfquery - what a host that is asked to take mail would find out by SPF.
 * Usage: spfquery IP HELO SENDER [RULES [GUESS [EXPLANATION]]].  Run by: anybody.  Prints
 *	result=fail: EXPLANATION
 *	Received-SPF: fail (...) ...
 * with the explanation only for `fail`.  Controls: me, for the name of this host.
 * Exit: 0 whatever the result; 100 wrong usage; 111 out of memory. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "net/ipme.h"
#include "spf/check.h"

#define ARGUMENTS_LEAST 4
#define ARGUMENTS_MOST 7

/* A host without a name of its own checks all the same. */
static void
read_me(struct buf *me)
{
	if (chdir(QMAIL_HOME) == -1 || ctl_line("me", me) != CTL_FOUND) {
		buf_reset(me);
		buf_adds(me, "localhost");
	}
}

static int
print(const struct spf_answer *a)
{
	struct buf text = { 0 };
	int code = CODE_TEMP;

	buf_adds(&text, "result=");
	buf_adds(&text, spf_result_old_word(a->result));
	if (a->result == SPF_FAIL) {
		buf_adds(&text, ": ");
		buf_addbuf(&text, &a->explanation);
	}
	buf_adds(&text, "\nReceived-SPF: ");
	buf_addbuf(&text, &a->text);
	buf_addc(&text, '\n');
	if (buf_ok(&text) && io_write_all(1, text.p, text.n) == 0)
		code = CODE_OK;
	buf_free(&text);
	return code;
}

static int
run(const struct spf_request *request)
{
	struct ipme own = { 0 };
	struct spf_request r = *request;
	struct spf_answer a = { 0 };
	struct spf_resolver resolver;
	struct dns *dns = dns_open();
	int code = CODE_TEMP;

	if (dns && ipme_read(&own, NULL) == IPME_OK && sandbox_paths(NULL, 0) == 0) {
		r.own = ipme_has(&own, &r.ip);
		resolver = spf_resolver_dns(dns);
		spf_check(&r, &resolver, &a);
		if (!a.memory)
			code = print(&a);
	}
	if (code != CODE_OK)
		(void)report_fail(code, "spfquery: out of memory, or "
		    "the addresses of this host cannot be found out");
	spf_answer_free(&a);
	ipme_free(&own);
	dns_close(dns);
	return code;
}

int
main(int argc, char **argv)
{
	struct spf_request r = { .now = date_now() };
	struct buf me = { 0 };
	const char *bad;
	int code;

	if (argc < ARGUMENTS_LEAST || argc > ARGUMENTS_MOST)
		return report_fail(CODE_PERM,
		    "usage: spfquery ip helo sender [rules [guess [explanation]]]");
	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (!ip_parse(span_str(argv[1]), &r.ip))
		return report_fail(CODE_PERM, "spfquery: not an IP address: %s", argv[1]);
	r.helo = span_str(argv[2]);
	r.sender = span_str(argv[3]);
	r.policy.rules = span_str(argc > 4 ? argv[4] : "");
	r.policy.guess = span_str(argc > 5 ? argv[5] : "");
	r.policy.explain = span_str(argc > 6 ? argv[6] : "");
	if ((bad = spf_policy_check(&r.policy)))
		return report_fail(CODE_PERM, "spfquery: malformed: %s", bad);
	read_me(&me);
	r.receiver = buf_span(&me);
	code = run(&r);
	buf_free(&me);
	return code;
}
