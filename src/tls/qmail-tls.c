/* qmail-tls - the TLS of the mail system, and the only program of it that holds a private key or
 * parses what strangers send as TLS.
 * Run by: qmail-remote, as qmailr (client).  The file is set-uid qmailt: keys are read as that
 * account, then all other power is given up, and only then a byte is read from the network.
 * Client: tls/verdict.h has descriptors and arguments.
 * Environment: not read.
 * Exit: 0 the connection has ended; 100 called wrongly, or by whom it does not serve; 111 trouble
 * of this host; 1 no TLS with the other end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "tls/client.h"
#include "tls/power.h"
#include "tls/pump.h"
#include "tls/tlspem.h"
#include "tls/verdict.h"

#define CODE_NO_TLS 1
#define CLIENT_KEY "control/clientcert.pem"

static int
usage(void)
{
	return report_fail(CODE_PERM, "usage: qmail-tls -c -h name [-a cafile] [-C ciphers] "
	    "[-k clientcert]");
}

/* ---- client ---- */

struct client_files {
	const char *authorities, *key;
};

/* The verdict, and no more of it. */
static int
say(struct verdict *v)
{
	struct buf text = { 0 };
	int rc = -1;

	if (verdict_format(v, &text) == 0)
		rc = io_write_all(VERDICT_FD, text.p, text.n);
	(void)close(VERDICT_FD);
	buf_free(&text);
	return rc;
}

/* The one file that is read with our own power has a fixed name; every other name is the caller's
 * wish and opened with the caller's rights. */
static int
open_client_key(const char *name)
{
	if (strcmp(name, CLIENT_KEY) == 0 || strcmp(name, QMAIL_HOME "/" CLIENT_KEY) == 0)
		return open(QMAIL_HOME "/" CLIENT_KEY, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return power_open_for_caller(name);
}

static enum verdict_result
read_client_key(struct client *c, const char *name, struct buf *reason)
{
	int fd = open_client_key(name);
	enum tlspem_status status = fd == -1 ? TLSPEM_NO_FILE : tlspem_read(fd, &c->key);

	if (status != TLSPEM_OK) {
		buf_adds(reason, "client certificate: ");
		buf_adds(reason, tlspem_words(status));
	}
	if (fd != -1)
		(void)close(fd);
	return status == TLSPEM_OK ? VERDICT_OK : VERDICT_TLS;
}

static enum verdict_result
read_authorities(struct client *c, const char *name, struct buf *reason)
{
	enum io_status status = IO_ERROR;
	int fd = power_open_for_caller(name);

	buf_init(&c->authorities, CLIENT_AUTHORITIES_MAX);
	if (fd != -1)
		status = io_read_all(fd, &c->authorities);
	if (status != IO_OK)
		buf_adds(reason, status == IO_TOOLONG ? "too large" : strerror(errno));
	if (fd != -1)
		(void)close(fd);
	return status == IO_OK ? VERDICT_OK : VERDICT_CAFILE;
}

/* Everything that needs files, then the end of all power. */
static enum verdict_result
make_ready(struct client *c, const struct client_files *files, struct buf *reason)
{
	enum verdict_result result = VERDICT_OK;

	if (files->key)
		result = read_client_key(c, files->key, reason);
	if (result == VERDICT_OK && files->authorities)
		result = read_authorities(c, files->authorities, reason);
	if (power_keep() == -1) {
		buf_adds(reason, "cannot give up power");
		return VERDICT_TLS;
	}
	c->verify = files->authorities;
	if (result == VERDICT_OK)
		result = client_prepare(c, reason);
	if (result == VERDICT_OK && power_sandbox() == -1) {
		buf_adds(reason, "cannot enter the sandbox");
		result = VERDICT_TLS;
	}
	return result;
}

static int
run_client(struct client *c, const struct client_files *files)
{
	struct verdict v = { 0 };
	struct pump pump;
	int rc = CODE_NO_TLS;

	if (!power_may_connect())
		return report_fail(CODE_PERM, "qmail-tls: not for this account");
	(void)close(4);
	(void)close(5);
	sys_close_from(VERDICT_SOCKET_FD + 1);
	v.result = make_ready(c, files, &v.reason);
	if (v.result == VERDICT_OK && pump_init(&pump, c->ssl, VERDICT_SOCKET_FD) == -1) {
		buf_adds(&v.reason, strerror(errno));
		v.result = VERDICT_TLS;
	}
	if (v.result == VERDICT_OK)
		client_meet(c, &pump, &v);
	if (say(&v) == 0 && v.result == VERDICT_OK) {
		pump_run(&pump, 0, 1, PUMP_IDLE_MAX_MS);
		rc = CODE_OK;
	}
	verdict_free(&v);
	client_free(c);
	return rc;
}

/* ---- the arguments ---- */

int
main(int argc, char *argv[])
{
	struct opt o = OPT_INIT(argc, argv);
	struct client_files files = { NULL, NULL };
	struct client client = { 0 };
	bool is_client = false;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1)
		return CODE_TEMP;
	for (int c; (c = opt_next(&o, "ch:a:C:k:")) != OPT_END;)
		switch (c) {
		case 'c': is_client = true; break;
		case 'h': client.host = o.value; break;
		case 'a': files.authorities = o.value; break;
		case 'C': client.ciphers = o.value; break;
		case 'k': files.key = o.value; break;
		default: return usage();
		}
	if (!is_client || !client.host || o.index != argc)
		return usage();
	return run_client(&client, &files);
}
