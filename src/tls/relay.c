/* relay - qmail-tls as the TLS side of a server. */
#include "tls/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "lib/sys.h"
#include "tls/power.h"
#include "tls/server.h"
#include "tls/ucspi.h"

#define CODE_NO_TLS 1
#define HIGH_FD 10		/* above all descriptors that have a number of their own */
#define MAIN_FILE QMAIL_HOME "/control/servercert.pem"

struct relay {
	const struct relay_how *how;
	pid_t server;		/* as tcpserver has logged it */
	bool begun;		/* the server says when */
	enum tlspem_status status;	/* of the certificate */
	bool log;		/* descriptor 2 is a log, and not the client */
	struct server tls;
	struct pump pump;
};

extern char **environ;

/* ---- log ---- */

static void
say(const struct relay *r, const char *what, struct span reason)
{
	struct buf line = { 0 };
	char pid[NUM_U64_SIZE];

	if (!r->log)
		return;
	(void)num_format(pid, (uint64_t)r->server);
	log_add_visible(&line, reason, true, '?');
	report_line(2, "tls: %s %s: %s", pid, what, buf_str(&line));
	buf_free(&line);
}

/* `tls: 1234 TLSv1.3 TLS_AES_256_GCM_SHA384 mail.example.org 256` */
static void
say_success(const struct relay *r)
{
	char pid[NUM_U64_SIZE], bits[NUM_U64_SIZE];
	const char *name = r->tls.name[0] ? r->tls.name : "-";

	if (!r->log)
		return;
	(void)num_format(pid, (uint64_t)r->server);
	(void)num_format(bits, (uint64_t)SSL_get_cipher_bits(r->tls.ssl, NULL));
	report_line(2, "tls: %s %s %s %s %s", pid, SSL_get_version(r->tls.ssl),
	    SSL_get_cipher_name(r->tls.ssl), name, bits);
}

/* ---- until the first byte ---- */

/* Where keys of earlier systems could be read by the server's own account they still can: it works,
 * but keeps nobody away from them. */
static int
open_certificate(const struct relay *r)
{
	int fd = r->how->certificate;

	if (fd != -1)
		return fd;
	fd = open(MAIN_FILE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno == EACCES && (fd = power_open_for_caller(MAIN_FILE)) != -1)
		say(r, "warning", span_str("control/servercert.pem can be read by the server's "
		    "own account; see qmail-cert(8)"));
	return fd;
}

/* Everything that needs files and power, then neither of them.  An exit code; *reason tells. */
static int
make_ready(struct relay *r, struct buf *reason)
{
	int fd;

	r->status = TLSPEM_NO_FILE;
	if (chdir(QMAIL_HOME) == -1) {
		buf_adds(reason, "no home directory");
		return CODE_TEMP;
	}
	if (!power_may_serve()) {
		buf_adds(reason, "this account is not in control/tlsusers");
		return CODE_PERM;
	}
	fd = open_certificate(r);
	if (fd == -1) {
		buf_adds(reason, "control/servercert.pem: ");
		buf_adds(reason, strerror(errno));
	} else if (power_keep() == -1) {
		buf_adds(reason, "cannot become qmailt");
	} else {
		r->status = server_prepare(&r->tls, fd, r->how->certificate == -1 ?
		    "control/servercert.pem" : "certificate", getenv("TLSCIPHERS"), reason);
	}
	if (fd != -1)
		(void)close(fd);
	return r->status == TLSPEM_OK ? CODE_OK : CODE_TEMP;
}

static int
enter_sandbox(struct buf *reason)
{
	sys_close_from(UCSPI_PLAIN_IN + 1);
	if (power_sandbox() == 0)
		return CODE_OK;
	buf_adds(reason, "cannot enter the sandbox");
	return CODE_TEMP;
}

/* ---- the connection ---- */

/* true: the server wants encryption now; *wants_details as well. */
static bool
await_order(const struct relay *r, bool *wants_details)
{
	char c = 'Y';

	if (r->begun && (io_write_all(UCSPI_CONTROL, "r", 1) == -1 ||
	    io_read(UCSPI_CONTROL, &c, 1) != 1))
		return false;
	*wants_details = c == 'Y';
	return c == 'y' || c == 'Y';
}

static int
give_details(const struct relay *r)
{
	struct buf details = BUF_CAP(UCSPI_DETAILS_MAX);
	int rc = -1;

	server_details(&r->tls, &details);
	if (buf_ok(&details))
		rc = io_write_all(UCSPI_CONTROL, details.p, details.n);
	buf_free(&details);
	return rc;
}

static int
encrypt(struct relay *r, struct buf *reason)
{
	if (pump_init(&r->pump, r->tls.ssl, 0, 1) == -1) {
		buf_adds(reason, strerror(errno));
		return -1;
	}
	return server_meet(&r->tls, &r->pump, reason);
}

static int
move_bytes(struct relay *r, bool wants_details)
{
	say_success(r);		/* before anything that the server logs */
	if (wants_details && give_details(r) == -1)
		return CODE_NO_TLS;	/* it is gone */
	(void)close(UCSPI_CONTROL);
	pump_run(&r->pump, UCSPI_PLAIN_IN, UCSPI_PLAIN_OUT, PUMP_IDLE_MAX_MS);
	return CODE_OK;
}

static int
serve(struct relay *r)
{
	struct buf reason = { 0 };
	bool wants_details = false;
	int code = make_ready(r, &reason);

	if (code == CODE_OK)
		code = enter_sandbox(&reason);
	if (code != CODE_OK) {
		say(r, "not started", buf_span(&reason));
	} else if (await_order(r, &wants_details)) {
		if (encrypt(r, &reason) == 0) {
			code = move_bytes(r, wants_details);
		} else {
			say(r, "failed", buf_span(&reason));
			code = CODE_NO_TLS;
		}
	}
	buf_free(&reason);
	server_free(&r->tls);
	return code;
}

int
relay_begun(void)
{
	static const struct relay_how how = { .certificate = -1 };
	struct relay r = { .how = &how, .server = getppid(), .begun = true };

	r.log = !io_same_file(2, 0) && !io_same_file(2, 1);
	return serve(&r);
}

/* ---- around a program ---- */

/* The relay's descriptors get their numbers; whatever is there goes. */
static int
arrange(const struct ucspi *theirs, struct relay_how *how)
{
	const int fds[] = { theirs->control, theirs->write, theirs->read };
	int high[3];

	if (how->certificate != -1 &&
	    (how->certificate = fcntl(how->certificate, F_DUPFD_CLOEXEC, HIGH_FD)) == -1)
		return -1;
	for (int i = 0; i < 3; i++)
		if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD)) == -1)
			return -1;
	for (int i = 0; i < 3; i++)
		if (proc_copy_fd(UCSPI_CONTROL + i, high[i]) == -1)
			return -1;
	return 0;
}

static int
be_relay(const struct ucspi *theirs, struct ucspi *ours, pid_t server, struct relay_how how)
{
	struct relay r = { .how = &how, .server = server };

	ucspi_close(ours);
	if (arrange(theirs, &how) == -1)
		return CODE_TEMP;
	r.log = !io_same_file(2, 0) && !io_same_file(2, 1);
	return serve(&r);
}

/* 1 in the relay, 0 in us, -1.  It is not our child, so that the program meets no child it has not
 * started. */
static int
split(void)
{
	pid_t pid = proc_fork();
	int status;

	if (pid == 0) {
		pid = proc_fork();
		if (pid != 0)
			_exit(pid == -1 ? CODE_TEMP : CODE_OK);
		sig_ignore(SIGPIPE);
		return 1;
	}
	return pid != -1 && proc_wait(pid, &status) == 0 && proc_code(status) == CODE_OK ? 0 : -1;
}

static int
become_program(char *const argv[], const struct relay_how *how, struct ucspi *ours)
{
	struct buf details = { 0 };
	int code = CODE_TEMP;

	if (how->certificate != -1)
		(void)close(how->certificate);
	if (power_drop() == -1)
		return report_fail(CODE_TEMP, "qmail-tls: fatal: cannot give up power");
	if (ucspi_finish(ours, &details) == -1) {
		if (how->certificate != -1)
			report_line(2, "tcpserver: warning: dropping connection, "
			    "unable to accept SSL connection");
	} else if (how->environment && ucspi_export(&details) == -1) {
		report_line(2, "qmail-tls: fatal: out of memory");
	} else {
		sig_default(SIGPIPE);
		proc_exec(argv[0], true, argv, environ);
		report_line(2, "qmail-tls: fatal: unable to run %s: %s", argv[0], strerror(errno));
	}
	buf_free(&details);
	return code;
}

int
relay_program(char *const argv[], const struct relay_how *how)
{
	struct ucspi ours, theirs;
	const pid_t server = getpid();

	if (ucspi_pair(&ours, &theirs) == -1)
		return report_fail(CODE_TEMP, "qmail-tls: fatal: %s", strerror(errno));
	switch (split()) {
	case 1:
		return be_relay(&theirs, &ours, server, *how);
	case 0:
		ucspi_close(&theirs);
		return become_program(argv, how, &ours);
	default:
		return report_fail(CODE_TEMP, "qmail-tls: fatal: %s", strerror(errno));
	}
}

/* As a patched tcpserver said it. */
static const char *
old_words(enum tlspem_status status)
{
	switch (status) {
	case TLSPEM_NO_KEY:
		return "unable to load RSA private key";
	case TLSPEM_REFUSED:
		return "unable to create SSL context";
	default:
		return "unable to load certificate";
	}
}

int
relay_test(const struct relay_how *how)
{
	struct relay r = { .how = how, .server = getpid(), .log = true, .tls.thorough = true };
	struct buf reason = { 0 };
	int code = make_ready(&r, &reason);

	if (code != CODE_OK && how->certificate != -1)
		report_line(2, "tcpserver: fatal: %s", old_words(r.status));
	else if (code != CODE_OK)
		report_line(2, "qmail-tls: %s", buf_str(&reason));
	buf_free(&reason);
	server_free(&r.tls);
	return code;
}
