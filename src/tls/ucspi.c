/* ucspi - the server's side of the UCSPI-TLS interface. */
#include "tls/ucspi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/proc.h"

#define FD_MAX 65535
#define IN_FLIGHT 32768		/* bytes, each way, between relay and program */
#define DETAILS_STEP ((size_t)512)

/* ---- what the environment says ---- */

static bool
env_number(const char *name, uint64_t max, uint64_t *value)
{
	const char *text = getenv(name);

	return text && num_parse_u64(text, strlen(text), max, value) == NUM_OK;
}

bool
ucspi_inside(void)
{
	const char *protocol = getenv("SSL_PROTOCOL");
	uint64_t n = 0;

	if (protocol && *protocol && !getenv("SSLCTLFD"))
		return true;
	if (env_number("SSL", UINT64_MAX, &n) && n >= 1)
		return true;
	return env_number("TCPLOCALPORT", 65535, &n) && (n == 465 || n == 995);
}

/* Three open descriptors above the standard ones, all different. */
static bool
take_offered(struct ucspi *u)
{
	uint64_t control = 0, in = 0, out = 0;

	if (!env_number("SSLCTLFD", FD_MAX, &control) || !env_number("SSLREADFD", FD_MAX, &in) ||
	    !env_number("SSLWRITEFD", FD_MAX, &out) || control < 3 || in < 3 || out < 3 ||
	    control == in || control == out || in == out)
		return false;
	*u = (struct ucspi){ (int)control, (int)in, (int)out };
	return fcntl(u->control, F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(u->read, F_SETFD, FD_CLOEXEC) == 0 && fcntl(u->write, F_SETFD, FD_CLOEXEC) == 0;
}

void
ucspi_keep(void)
{
	struct ucspi u;

	if (getenv("SSLCTLFD"))
		(void)!take_offered(&u);
}

bool
ucspi_possible(void)
{
	return getenv("SSLCTLFD") || fsops_is_named(QMAIL_HOME "/control/servercert.pem");
}

/* ---- descriptors ---- */

static void
end_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

void
ucspi_close(struct ucspi *u)
{
	end_fd(&u->control);
	end_fd(&u->read);
	end_fd(&u->write);
}

/* Sockets, so that writers need not ask before each write; the first is the writer's. */
static int
one_way(int *writer, int *reader)
{
	const int size = IN_FLIGHT;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	*writer = fds[0];
	*reader = fds[1];
	return 0;
}

int
ucspi_pair(struct ucspi *u, struct ucspi *theirs)
{
	*u = *theirs = (struct ucspi)UCSPI_EMPTY;
	if (one_way(&u->control, &theirs->control) == 0 && one_way(&u->write, &theirs->read) == 0 &&
	    one_way(&theirs->write, &u->read) == 0)
		return 0;
	ucspi_close(u);
	ucspi_close(theirs);
	return -1;
}

/* ---- a TLS process ---- */

/* It says one byte when it has what it needs; else it just ends. */
static int
wait_until_ready(int control)
{
	char c;

	return io_wait_readable(control, deadline_after(UCSPI_READY_MS)) == IO_OK &&
	    io_read(control, &c, 1) == 1 ? 0 : -1;
}

static int
start_relay(struct ucspi *u)
{
	char name[] = "qmail-tls", mode[] = "-u";
	char *const argv[] = { name, mode, NULL };
	struct ucspi theirs;
	pid_t pid;

	if (ucspi_pair(u, &theirs) == -1)
		return -1;
	pid = proc_spawn(&(struct proc_spawn){ .path = QMAIL_HOME "/bin/qmail-tls", .argv = argv,
		.fds = { { UCSPI_CONTROL, theirs.control }, { UCSPI_PLAIN_OUT, theirs.write },
		    { UCSPI_PLAIN_IN, theirs.read } }, .nfds = 3 }, NULL);
	ucspi_close(&theirs);
	if (pid != -1 && wait_until_ready(u->control) == 0)
		return 0;
	ucspi_close(u);
	return -1;
}

int
ucspi_open(struct ucspi *u)
{
	if (getenv("SSLCTLFD"))
		return take_offered(u) ? 0 : -1;
	return start_relay(u);
}

/* ---- the handshake ---- */

static bool
is_complete(const struct buf *raw)
{
	return raw->n >= 2 && raw->p[raw->n - 1] == '\0' && raw->p[raw->n - 2] == '\0';
}

/* Nothing comes behind the details, so as much is read as there is. */
static int
read_details(int control, struct buf *raw)
{
	const int64_t deadline = deadline_after(UCSPI_BEGIN_MS);

	while (!is_complete(raw)) {
		const size_t left = UCSPI_DETAILS_MAX - raw->n;
		const size_t n = left < DETAILS_STEP ? left : DETAILS_STEP;
		char *at = n ? buf_room(raw, n) : NULL;
		ssize_t r;

		if (!at || io_wait_readable(control, deadline) != IO_OK ||
		    (r = io_read(control, at, n)) <= 0)
			return -1;
		buf_added(raw, (size_t)r);
	}
	return 0;
}

int
ucspi_finish(struct ucspi *u, struct buf *details)
{
	struct buf raw = BUF_CAP(UCSPI_DETAILS_MAX);
	int rc = -1;

	if (read_details(u->control, &raw) == 0 && proc_copy_fd(0, u->read) == 0 &&
	    proc_copy_fd(1, u->write) == 0) {
		ucspi_clean(buf_span(&raw), details);
		rc = buf_ok(details) ? 0 : -1;
	}
	buf_free(&raw);
	ucspi_close(u);
	return rc;
}

int
ucspi_begin(struct ucspi *u, struct buf *details)
{
	if (io_write_all(u->control, "Y", 1) == 0)
		return ucspi_finish(u, details);
	ucspi_close(u);
	return -1;
}

/* ---- details ---- */

void
ucspi_clean(struct span raw, struct buf *details)
{
	while (raw.n) {
		struct span line = span_head(raw, span_chr(raw, '\0'));

		raw = span_tail(raw, line.n + 1);
		if (!span_starts(line, span_str("SSL")) || span_chr(line, '=') == line.n)
			continue;
		log_add_visible(details, line, true, '?');
		buf_addc(details, '\0');
	}
}

struct span
ucspi_detail(const struct buf *details, const char *name)
{
	struct span rest = buf_span(details);

	while (rest.n) {
		struct span line = span_head(rest, span_chr(rest, '\0'));
		size_t eq = span_chr(line, '=');

		if (eq < line.n && span_eq(span_head(line, eq), span_str(name)))
			return span_tail(line, eq + 1);
		rest = span_tail(rest, line.n + 1);
	}
	return span_of(NULL, 0);
}

int
ucspi_export(const struct buf *details)
{
	struct span rest = buf_span(details);
	int rc = 0;

	while (rc == 0 && rest.n) {
		struct span line = span_head(rest, span_chr(rest, '\0'));
		struct buf name = { 0 };
		size_t eq = span_chr(line, '=');

		/* The value ends with the NUL of its line. */
		buf_addspan(&name, span_head(line, eq));
		if (!buf_ok(&name) || setenv(buf_str(&name), line.p + eq + 1, 1) == -1)
			rc = -1;
		buf_free(&name);
		rest = span_tail(rest, line.n + 1);
	}
	return rc;
}
