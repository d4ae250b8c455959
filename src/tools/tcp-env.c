/* tcp-env - describe the TCP connection on fd 0 in the environment, then run a program.
 * Usage: tcp-env [-rR] [-t seconds] program [arg...]
 * Run by: inetd, as whatever user it says.  fd 0: the connection, fd 2: complaints.
 * Environment: see tcp-environ(5); with PROTO=TCP or TCP6 it is complete and only passed on.
 * Exit: the program's; 111 if it cannot be run or fd 0 is no TCP connection. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/opt.h"
#include "lib/proc.h"
#include "lib/sig.h"
#include "net/conn.h"
#include "net/dns.h"
#include "tools/ident.h"

#define TIMEOUT_DEFAULT 30
#define TIMEOUT_MAX ((uint64_t)1000000)
#define VARIABLE_SIZE 32

extern char **environ;

/* Sets or (NULL) unsets PREFIXname.  -1: out of memory, or the value has a NUL (cannot be set). */
static int
set_one(const char *prefix, const char *name, const char *value)
{
	char variable[VARIABLE_SIZE];
	int n = snprintf(variable, sizeof variable, "%s%s", prefix, name);

	if (n < 0 || (size_t)n >= sizeof variable)
		return -1;
	return value ? setenv(variable, value, 1) : unsetenv(variable);
}

/* TCPname and, for a connection by IPv6, TCP6name as well: programs look for either. */
static int
set(bool v6, const char *name, const char *value)
{
	if (set_one("TCP", name, value) == -1)
		return -1;
	return v6 ? set_one("TCP6", name, value) : 0;
}

static int
set_address(bool v6, const char *ip_name, const char *port_name, const struct ip *ip,
    uint16_t port)
{
	char ip_text[IP_TEXT_SIZE], port_text[NUM_U64_SIZE];

	num_format(port_text, port);
	if (set(v6, ip_name, ip_format(ip, ip_text)) == -1)
		return -1;
	return set(v6, port_name, port_text);
}

static int
set_host(bool v6, const char *name, struct dns *dns, const struct ip *ip)
{
	struct buf host = { 0 };
	int r;

	switch (dns_ptr(dns, ip, &host)) {
	case DNS_OK:
		r = set(v6, name, buf_str(&host));
		break;
	case DNS_ABSENT:
		r = set(v6, name, NULL);
		break;
	case DNS_SOFT:
		r = set(v6, name, "softdnserror");
		break;
	case DNS_MEMORY:
	default:
		r = -1;
		break;
	}
	buf_free(&host);
	return r;
}

static int
set_info(bool v6, const struct ident_connection *c, int64_t timeout_ms)
{
	struct buf user = { 0 };
	int r = 0;

	/* buf_str ends at a NUL, if there is one: a variable cannot hold it. */
	if (ident_ask(c, timeout_ms, &user))
		r = set(v6, "REMOTEINFO", buf_str(&user));
	buf_free(&user);
	return r;
}

/* ident_ms: 0 = do not ask. */
static int
describe(int fd, int64_t ident_ms)
{
	struct ident_connection c;
	struct dns *dns;
	bool v6;
	int r = -1;

	if (conn_local(fd, &c.local, &c.local_port) == -1 ||
	    conn_remote(fd, &c.remote, &c.remote_port) == -1)
		return -1;
	v6 = c.local.family == IP_V6;
	dns = dns_open();
	if (dns && setenv("PROTO", v6 ? "TCP6" : "TCP", 1) == 0 &&
	    set_address(v6, "LOCALIP", "LOCALPORT", &c.local, c.local_port) == 0 &&
	    set_address(v6, "REMOTEIP", "REMOTEPORT", &c.remote, c.remote_port) == 0 &&
	    set_host(v6, "LOCALHOST", dns, &c.local) == 0 &&
	    set_host(v6, "REMOTEHOST", dns, &c.remote) == 0 && set(v6, "REMOTEINFO", NULL) == 0)
		r = ident_ms ? set_info(v6, &c, ident_ms) : 0;
	dns_close(dns);
	return r;
}

/* Returns the time for ident in ms, 0 for none. */
static int64_t
parse_options(struct opt *o)
{
	uint64_t seconds = TIMEOUT_DEFAULT;
	bool ask = true;

	for (int c; (c = opt_next(o, "rRt:")) != OPT_END;)
		switch (c) {
		case 'r':
			ask = true;
			break;
		case 'R':
			ask = false;
			break;
		case 't':
			(void)num_lead_u64(span_str(o->value), TIMEOUT_MAX, &seconds);
			break;
		default:
			opt_complain(o, 2, c);
			break;
		}
	return ask ? (int64_t)(seconds ? seconds : 1) * 1000 : 0;
}

int
main(int argc, char **argv)
{
	struct opt o = OPT_INIT(argc, argv);
	const char *proto = getenv("PROTO");
	int64_t ident_ms;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1)
		return CODE_TEMP;
	ident_ms = parse_options(&o);
	if (o.index >= argc)
		return CODE_TEMP;
	if ((!proto || (strcmp(proto, "TCP") != 0 && strcmp(proto, "TCP6") != 0)) &&
	    describe(0, ident_ms) == -1)
		return CODE_TEMP;
	sig_default(SIGPIPE);
	proc_exec(argv[o.index], true, argv + o.index, environ);
	return CODE_TEMP;
}
