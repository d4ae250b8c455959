/* connect - qmail-tls as the TLS side of a client. */
#include "tls/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sys.h"
#include "tls/authorities.h"
#include "tls/tlsclient.h"
#include "tls/power.h"
#include "tls/tlspem.h"
#include "tls/verdict.h"

#define CODE_NO_TLS 1
#define CLIENT_KEY "control/clientcert.pem"

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
read_client_key(struct tlsclient *c, const char *name, struct buf *reason)
{
	int fd = open_client_key(name);
	enum tlspem_status status = fd == -1 ? TLSPEM_NO_FILE : tlspem_read(fd, &c->key);

	if (status != TLSPEM_OK) {
		buf_adds(reason, "client certificate: ");
		buf_adds(reason, tlspem_words(status));
	}
	if (fd != -1)
		(void)close(fd);
	return status == TLSPEM_OK ? VERDICT_OK : VERDICT_LOCAL;
}

static enum verdict_result
read_authorities(struct tlsclient *c, const char *name, struct buf *reason)
{
	enum io_status status = IO_ERROR;
	int fd = power_open_for_caller(name);

	buf_init(&c->authorities, AUTHORITIES_MAX);
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
make_ready(struct tlsclient *c, const struct connect_how *how, struct buf *reason)
{
	enum verdict_result result = VERDICT_OK;

	if (how->key)
		result = read_client_key(c, how->key, reason);
	if (result == VERDICT_OK && how->authorities)
		result = read_authorities(c, how->authorities, reason);
	if (power_keep() == -1) {
		buf_adds(reason, "cannot become qmailt");
		return VERDICT_LOCAL;
	}
	c->verify = how->authorities;
	if (result == VERDICT_OK)
		result = tlsclient_prepare(c, reason);
	if (result == VERDICT_OK && power_sandbox() == -1) {
		buf_adds(reason, "cannot enter the sandbox");
		result = VERDICT_LOCAL;
	}
	return result;
}

int
connect_run(const struct connect_how *how)
{
	struct tlsclient client = { .host = how->host, .ciphers = how->ciphers }, *c = &client;
	struct verdict v = { 0 };
	struct pump pump;
	int rc = CODE_NO_TLS;

	if (!power_may_connect())
		return report_fail(CODE_PERM, "qmail-tls: not for this account");
	(void)close(4);
	(void)close(5);
	sys_close_from(VERDICT_SOCKET_FD + 1);
	v.result = make_ready(c, how, &v.reason);
	if (v.result == VERDICT_OK && pump_init(&pump, c->ssl, VERDICT_SOCKET_FD,
	    VERDICT_SOCKET_FD) == -1) {
		buf_adds(&v.reason, strerror(errno));
		v.result = VERDICT_LOCAL;
	}
	if (v.result == VERDICT_OK)
		tlsclient_meet(c, &pump, &v);
	if (say(&v) == 0 && v.result == VERDICT_OK) {
		pump_run(&pump, 0, 1, PUMP_IDLE_MAX_MS);
		rc = CODE_OK;
	}
	verdict_free(&v);
	tlsclient_free(c);
	return rc;
}
