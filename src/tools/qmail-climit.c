/* qmail-climit - run a program unless its client has too many connections already.
 * Usage: qmail-climit [-s number] [-d directory] program [arg...]
 * Run by: tcpserver, as whatever user it was told.  fd 0, 1: the client; fd 2: the log.
 * Environment: tcp-environ(5), MAXCONNIP, MAXCONNC, MAXLOAD, DIEMSG.
 * Exit: the program's; 0 if the client was sent away; CODE_PERM wrong usage, CODE_TEMP the program
 * cannot be run. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/opt.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "tools/climit.h"

#define DIRECTORY "/run/qmail-climit"
#define LOAD_FILE "/proc/loadavg"
#define TURNED_AWAY_MS 1000	/* for a client to whom nothing is said */
#define LOG_LINE ((size_t)4096)
#define USAGE "usage: qmail-climit [-s number] [-d directory] program [arg...]"

extern char **environ;

struct rules {
	bool per_ip;		/* -s, and not 0 */
	unsigned ip_limit;
	const char *directory;
};

/* ---- sending away ---- */

static void
add_part(struct buf *line, const char *name, char end)
{
	log_add_visible(line, span_str(getenv(name)), false, '?');
	buf_addc(line, end);
}

/* As tcpserver writes it. */
static void
log_refusal(const char *why, uint64_t number)
{
	struct buf line = BUF_CAP(LOG_LINE);

	buf_adds(&line, "tcpserver: deny ");
	buf_addnum(&line, (uint64_t)getpid());
	buf_addc(&line, ' ');
	add_part(&line, "TCPLOCALHOST", ':');
	add_part(&line, "TCPLOCALIP", ':');
	add_part(&line, "TCPLOCALPORT", ' ');
	add_part(&line, "TCPREMOTEHOST", ':');
	add_part(&line, "TCPREMOTEIP", ':');
	add_part(&line, "TCPREMOTEINFO", ':');
	add_part(&line, "TCPREMOTEPORT", ' ');
	buf_adds(&line, why);
	buf_addc(&line, ':');
	buf_addnum(&line, number);
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		(void)!io_write(2, line.p, line.n);
	buf_free(&line);
}

static bool
serves_smtp(void)
{
	static const char *const ports[] = { "25", "465", "587" };
	const char *port = getenv("TCPLOCALPORT");

	for (size_t i = 0; port && i < sizeof ports / sizeof *ports; i++)
		if (strcmp(port, ports[i]) == 0)
			return true;
	return false;
}

static int
send_away(const struct rules *r, const char *why, uint64_t number)
{
	static const char too_many[] = "421 too many connections (#4.7.0)\r\n";
	const char *text = getenv("DIEMSG");
	struct buf line = { 0 };

	log_refusal(why, number);
	if (text) {
		buf_adds(&line, text);
		buf_adds(&line, "\r\n");
	} else if (r->per_ip && serves_smtp()) {
		buf_adds(&line, too_many);
	}
	/* The first bytes of a connection: there is room for them. */
	if (line.n && buf_ok(&line))
		(void)!io_write(1, line.p, line.n);
	else
		(void)poll(NULL, 0, TURNED_AWAY_MS);
	buf_free(&line);
	return CODE_OK;
}

/* ---- what may be exceeded ---- */

/* What its user has asked for cannot be done: mail flows all the same, but the log tells. */
static void
not_limited(const char *what, const char *why)
{
	report_line(2, "qmail-climit: warning: connections are not limited: %s: %s", what, why);
}

/* false: no such variable. */
static bool
limit_of(const char *text, uint64_t max, uint64_t *value)
{
	*value = 0;
	if (text)
		(void)num_lead_u64(span_str(text), max, value);
	return text;
}

/* The load of the last minute, times 100; 0 if it is not known. */
static uint64_t
load(void)
{
	struct buf text = BUF_CAP(LOG_LINE);
	uint64_t whole = 0, hundredths = 0;
	size_t digits;

	if (ctl_path_text(LOAD_FILE, &text) == CTL_FOUND) {
		digits = num_lead_u64(buf_span(&text), 1000000, &whole);
		if (span_chr(buf_span(&text), '.') == digits)
			(void)num_lead_u64(span_head(span_tail(buf_span(&text), digits + 1), 2), 99,
			    &hundredths);
	}
	buf_free(&text);
	return whole * 100 + hundredths;
}

/* One place of `limit`; true: there is none. */
static bool
is_full(const struct climit *c, enum climit_kind kind, const struct ip *ip, unsigned limit)
{
	switch (climit_take(c, kind, ip, limit)) {
	case CLIMIT_TAKEN:
		return false;
	case CLIMIT_FULL:
		return true;
	default:
		not_limited("fcntl", errtext(errno));
		return false;
	}
}

/* The text for the log if one of the numbers is exceeded, NULL if none is. */
static const char *
check_connections(const struct rules *r, uint64_t *number)
{
	struct climit c;
	struct ip ip;
	uint64_t per_ip, per_network;
	bool by_ip = limit_of(getenv("MAXCONNIP"), CLIMIT_CONNECTIONS_MAX, &per_ip);
	bool by_network = limit_of(getenv("MAXCONNC"), CLIMIT_CONNECTIONS_MAX, &per_network);

	if (!by_ip && !by_network && !r->per_ip)
		return NULL;
	if (!ip_parse(span_str(getenv("TCPREMOTEIP")), &ip)) {
		not_limited("TCPREMOTEIP", "no address");
		return NULL;
	}
	if (climit_open(&c, r->directory) == -1) {
		not_limited(r->directory, errno == ENOENT ?
		    "not there; the run script must make it, see qmail-climit(8)" : errtext(errno));
		return NULL;
	}
	*number = by_ip && (!r->per_ip || per_ip < r->ip_limit) ? per_ip : r->ip_limit;
	if ((by_ip || r->per_ip) && is_full(&c, CLIMIT_ADDRESS, &ip, (unsigned)*number))
		return by_ip && *number == per_ip ? "MAXCONNIP" : "PERIP";
	*number = per_network;
	if (by_network && is_full(&c, CLIMIT_NETWORK, &ip, (unsigned)per_network))
		return "MAXCONNC";
	return NULL;
}

static const char *
check(const struct rules *r, uint64_t *number)
{
	uint64_t allowed;

	if (limit_of(getenv("MAXLOAD"), UINT64_MAX, &allowed)) {
		*number = load();
		if (allowed == 0 || *number > allowed)
			return "LOAD";
	}
	return check_connections(r, number);
}

/* ---- arguments ---- */

static bool
read_options(struct opt *o, struct rules *r)
{
	uint64_t value;

	for (int c; (c = opt_next(o, "s:d:")) != OPT_END;)
		switch (c) {
		case 's':
			if (num_parse_u64(o->value, strlen(o->value), CLIMIT_CONNECTIONS_MAX,
			    &value) != NUM_OK)
				return false;
			r->ip_limit = (unsigned)value;
			r->per_ip = value > 0;
			break;
		case 'd':
			r->directory = o->value;
			break;
		default:
			return false;
		}
	return o->index < o->argc;
}

int
main(int argc, char *argv[])
{
	struct opt o = OPT_INIT(argc, argv);
	struct rules rules = { .directory = DIRECTORY };
	const char *why;
	uint64_t number;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (!read_options(&o, &rules))
		return report_fail(CODE_PERM, USAGE);
	if ((why = check(&rules, &number)))
		return send_away(&rules, why, number);
	proc_exec(argv[o.index], true, argv + o.index, environ);
	return report_fail(CODE_TEMP, "qmail-climit: fatal: unable to run %s: %s", argv[o.index],
	    errtext(errno));
}
