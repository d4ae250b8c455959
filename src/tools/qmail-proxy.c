/* qmail-proxy - put the real client into the environment when a load balancer connects.
 * Usage: qmail-proxy -x rules.cdb program [arg...]
 * Run by: tcpserver, as whatever user it was told.  fd 0, 1: the connection; fd 2: the log.
 * Environment: tcp-environ(5); PROXYPROTOCOL, set by a rule for the balancer's address, means that
 * a header comes first (tools/proxyhead.h).
 * Exit: the program's; CODE_PERM wrong usage, no header, or a client that the rules deny; CODE_TEMP
 * the rules cannot be read, or the program cannot be run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/deadline.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/opt.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "mail/tcprules.h"
#include "tools/proxyhead.h"

#define SWITCH "PROXYPROTOCOL"
#define HEADER_WAIT_MS (INT64_C(5) * 1000)	/* for the whole header */
#define USAGE "usage: qmail-proxy -x rules.cdb program [arg...]"

extern char **environ;

static int
fail(int code, const char *what)
{
	struct buf line = BUF_CAP(4096);

	buf_adds(&line, "qmail-proxy: fatal: ");
	log_add_visible(&line, span_str(getenv("TCPREMOTEIP")), false, '?');
	buf_adds(&line, " pid ");
	buf_addnum(&line, (uint64_t)getpid());
	buf_adds(&line, ": ");
	buf_adds(&line, what);
	if (buf_ok(&line))
		report_line(2, "%s", buf_str(&line));
	buf_free(&line);
	return code;
}

/* ---- the header ---- */

/* Takes not one byte more than the header.  NULL, or what is wrong. */
static const char *
read_header(struct buf *head)
{
	int64_t deadline = deadline_after(HEADER_WAIT_MS);
	int wants;

	while ((wants = proxyhead_wants(buf_span(head))) > 0) {
		char *room = buf_room(head, (size_t)wants);
		ssize_t n;

		if (!room)
			return "out of memory";
		if (io_wait_readable(0, deadline) != IO_OK)
			return "no PROXY header within 5 seconds";
		n = io_read(0, room, (size_t)wants);
		if (n <= 0)
			return "the connection ended in the PROXY header";
		buf_added(head, (size_t)n);
	}
	return wants == -1 ? "no PROXY header" : NULL;
}

/* ---- the environment ---- */

static int
set_address(const char *ip_name, const struct ip *ip, const char *port_name, uint16_t port)
{
	char ip_text[IP_TEXT_SIZE], port_text[NUM_U64_SIZE];

	num_format(port_text, port);
	return setenv(ip_name, ip_format(ip, ip_text), 1) == -1 ||
	    setenv(port_name, port_text, 1) == -1 ? -1 : 0;
}

static int
set_client(const struct proxyhead *p)
{
	return setenv("PROTO", "TCP", 1) == -1 ||
	    set_address("TCPREMOTEIP", &p->from, "TCPREMOTEPORT", p->from_port) == -1 ||
	    set_address("TCPLOCALIP", &p->to, "TCPLOCALPORT", p->to_port) == -1 ? -1 : 0;
}

/* Sets what a rule says, or takes it away again. */
static int
obey_rule(struct span data, bool take_away)
{
	struct buf text = { 0 };
	struct span assignment;
	size_t pos = 0;
	int rc = 0;

	while (rc == 0 && tcprules_next(data, &pos, &assignment)) {
		size_t name = span_chr(assignment, '=');

		buf_reset(&text);
		buf_addspan(&text, assignment);
		if (!buf_ok(&text)) {
			rc = -1;
		} else {
			text.p[name] = '\0';
			rc = take_away ? unsetenv(text.p) :
			    setenv(text.p, text.p + name + 1, 1);
		}
	}
	buf_free(&text);
	return rc;
}

/* What was said about the balancer is not true for its client. */
static int
forget_balancer(const char *rules)
{
	static const char *const names[] = { SWITCH, "RELAYCLIENT", "TCPREMOTEHOST",
		"TCPREMOTEINFO", "TCP6REMOTEHOST", "TCP6REMOTEINFO", "TCP6REMOTEIP",
		"TCP6REMOTEPORT", "TCP6LOCALIP", "TCP6LOCALPORT", "TCP6INTERFACE" };
	struct tcprules_client who = { .ip = span_str(getenv("TCPREMOTEIP")),
		.host = span_str(getenv("TCPREMOTEHOST")),
		.user = span_str(getenv("TCPREMOTEINFO")) };
	struct buf data = { 0 };
	int rc = 0;

	switch (tcprules_find(rules, &who, &data)) {
	case TCPRULES_FOUND:
		rc = obey_rule(buf_span(&data), true);
		break;
	case TCPRULES_ABSENT:
		break;
	default:
		rc = -1;
	}
	for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++)
		rc = unsetenv(names[i]);
	buf_free(&data);
	return rc;
}

/* CODE_OK, or why the client is not served. */
static int
apply_rules(const char *rules)
{
	struct tcprules_client who = { .ip = span_str(getenv("TCPREMOTEIP")) };
	struct buf data = { 0 };
	int code = CODE_TEMP;

	switch (tcprules_find(rules, &who, &data)) {
	case TCPRULES_FOUND:
		if (tcprules_denies(buf_span(&data)))
			code = fail(CODE_PERM, "denied by the rules");
		else if (obey_rule(buf_span(&data), false) == 0)
			code = CODE_OK;
		break;
	case TCPRULES_ABSENT:
		code = CODE_OK;
		break;
	default:
		code = fail(CODE_TEMP, "the rules cannot be read");
	}
	/* Who speaks through a balancer is no balancer, whatever the rules say. */
	if (unsetenv(SWITCH) == -1)
		code = CODE_TEMP;
	buf_free(&data);
	return code;
}

static int
introduce_client(const char *rules)
{
	struct buf head = BUF_CAP(PROXYHEAD_MAX);
	const char *trouble = read_header(&head);
	struct proxyhead p;
	int code = CODE_OK;

	if (!trouble && !proxyhead_parse(buf_span(&head), &p))
		trouble = "malformed PROXY header";
	buf_free(&head);
	if (trouble)
		return fail(CODE_PERM, trouble);
	if (forget_balancer(rules) == -1)
		return fail(CODE_TEMP, "the rules cannot be read");
	if (p.known)
		code = set_client(&p) == -1 ? CODE_TEMP : apply_rules(rules);
	return code;
}

int
main(int argc, char *argv[])
{
	struct opt o = OPT_INIT(argc, argv);
	const char *rules = NULL;
	int code;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	for (int c; (c = opt_next(&o, "x:")) != OPT_END;) {
		if (c != 'x')
			return report_fail(CODE_PERM, USAGE);
		rules = o.value;
	}
	if (!rules || o.index >= argc)
		return report_fail(CODE_PERM, USAGE);
	if (getenv(SWITCH) && (code = introduce_client(rules)) != CODE_OK)
		return code;
	proc_exec(argv[o.index], true, argv + o.index, environ);
	return report_fail(CODE_TEMP, "qmail-proxy: fatal: unable to run %s: %s", argv[o.index],
	    errtext(errno));
}
