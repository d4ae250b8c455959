/* pump: silence ends it; floods of what costs the sender little are answered within bounds. */
#include "tls/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/sig.h"
#include "tap.h"
#include "tls/tlsopt.h"

#define LONG_MS (INT64_C(3600) * 1000)
#define ROUNDS 200
#define BURST 100		/* messages: they have room in the socket when nobody reads them */
#define TORRENT 20000		/* messages of one that never pauses */
#define BATCH 2000		/* and of one that has no end either, which are sent at a time */
#define IDLE_MS INT64_C(2000)
#define SMALL 4096		/* bytes for a peer that the kernel keeps */
#define FULL_WIRE (PUMP_WIRE_MAX + 2 * PUMP_ROOM)	/* the answers to one reading on top */
#define BIG ((size_t)1 << 20)	/* bytes the program has to say */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KB 1048576	/* which keeps for a while what was freed */
#else
#define GROWTH_KB 4096
#endif

/* Our peer is the pump in a process of its own. */
struct rig {
	SSL_CTX *ctx;
	SSL *ssl;		/* of the client, which is us */
	int net, said, heard;	/* the program's side: what it says, what it hears */
	pid_t pump;
	long kb;		/* the most memory that a pump has had */
};

enum end { END_FINE = 0, END_NO_TLS = 1, END_LEFT_OPEN = 2, END_OVERFULL = 3 };

/* ---- the server ---- */

static int
certify(SSL *ssl)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	int good = key && cert && X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), 3600) && X509_set_pubkey(cert, key) &&
	    X509_sign(cert, key, EVP_sha256()) && SSL_use_certificate(ssl, cert) == 1 &&
	    SSL_use_PrivateKey(ssl, key) == 1;

	X509_free(cert);
	EVP_PKEY_free(key);
	return good ? 0 : -1;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* Called by the library after everything that it does with the wire. */
static long
watch_wire(BIO *wire, int what, const char *data, size_t n, int argi, long argl, int r, size_t *did)
{
	bool *overfull = (bool *)(void *)BIO_get_callback_arg(wire);
	char *at;

	(void)data;
	(void)n;
	(void)argi;
	(void)argl;
	(void)did;
	if (what == (BIO_CB_WRITE | BIO_CB_RETURN) && BIO_get_mem_data(wire, &at) > (long)FULL_WIRE)
		*overfull = true;
	return r;
}

static enum end
serve(SSL_CTX *ctx, int net, int in, int out, int64_t idle_ms)
{
	static struct pump pump;
	struct buf reason = { 0 };
	SSL *ssl = SSL_new(ctx);
	enum end end = END_NO_TLS;
	bool overfull = false;

	if (ssl && certify(ssl) == 0 && pump_init(&pump, ssl, net, net) == 0) {
		BIO_set_callback_ex(pump.wire, watch_wire);
		BIO_set_callback_arg(pump.wire, (char *)(void *)&overfull);
		SSL_set_accept_state(ssl);
		if (pump_handshake(&pump, deadline_after(LONG_MS), &reason) == 0) {
			pump_run(&pump, in, out, idle_ms);
			end = is_open(in) || is_open(out) ? END_LEFT_OPEN :
			    overfull ? END_OVERFULL : END_FINE;
		}
	}
	buf_free(&reason);
	SSL_free(ssl);
	return end;
}

/* ---- the client ---- */

static bool
start(struct rig *r, int64_t idle_ms)
{
	const int small = SMALL;
	int net[2], in[2], out[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, net) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, in) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, out) == -1 ||
	    setsockopt(net[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == -1 ||
	    (r->pump = fork()) == -1)
		return false;
	if (r->pump == 0) {
		(void)close(net[0]);
		(void)close(in[0]);
		(void)close(out[0]);
		_exit((int)serve(r->ctx, net[1], in[1], out[1], idle_ms));
	}
	(void)close(net[1]);
	(void)close(in[1]);
	(void)close(out[1]);
	r->net = net[0];
	r->said = in[0];
	r->heard = out[0];
	r->ssl = SSL_new(r->ctx);
	if (!r->ssl || SSL_set_fd(r->ssl, r->net) != 1)
		return false;
	SSL_set_connect_state(r->ssl);
	return SSL_do_handshake(r->ssl) == 1;
}

/* How the pump has ended. */
static int
stop(struct rig *r)
{
	struct rusage used;
	int status = -1;

	SSL_free(r->ssl);
	(void)close(r->net);
	(void)close(r->said);
	(void)close(r->heard);
	if (waitpid(r->pump, &status, 0) != r->pump || !WIFEXITED(status) ||
	    getrusage(RUSAGE_CHILDREN, &used) == -1)
		return -1;
	r->kb = used.ru_maxrss;
	return WEXITSTATUS(status);
}

/* ---- silence ---- */

static void
test_idle(struct tap *t, struct rig *r)
{
	char c;

	ok(t, start(r, 1), "a session");
	ok(t, read(r->heard, &c, 1) == 0 && read(r->said, &c, 1) == 0,
	    "nobody says anything: the program sees an end");
	ok(t, SSL_read(r->ssl, &c, 1) <= 0, "so does the client");
	ok(t, stop(r) == END_FINE, "the pump has ended, and has closed what it was given");
	ok(t, start(r, LONG_MS) && write(r->said, "x", 1) == 1 && SSL_read(r->ssl, &c, 1) == 1 &&
	    c == 'x' && SSL_write(r->ssl, "y", 1) == 1 && read(r->heard, &c, 1) == 1 && c == 'y',
	    "within the limit bytes go both ways");
	ok(t, stop(r) == END_FINE, "and it ends with its peers");
}

static void
test_no_handshake(struct tap *t, struct rig *r)
{
	struct buf reason = { 0 };
	struct pump pump;
	SSL *ssl = SSL_new(r->ctx);
	int net[2];

	ok(t, ssl && socketpair(AF_UNIX, SOCK_STREAM, 0, net) == 0 &&
	    pump_init(&pump, ssl, net[0], net[0]) == 0, "a client that says nothing at all");
	SSL_set_accept_state(ssl);
	ok(t, pump_handshake(&pump, deadline_after(1), &reason) == -1 &&
	    strcmp(buf_str(&reason), "handshake timed out") == 0, "its time is limited");
	buf_free(&reason);
	SSL_free(ssl);
	(void)close(net[0]);
	(void)close(net[1]);
}

/* ---- floods ---- */

/* The program says BIG bytes, as far as there is room for them. */
static size_t
say_pattern(int fd, size_t from)
{
	char piece[8192];

	for (;;) {
		size_t n = BIG - from < sizeof piece ? BIG - from : sizeof piece;
		ssize_t w;

		for (size_t i = 0; i < n; i++)
			piece[i] = (char)((from + i) * 7 >> 3);
		if (n == 0 || (w = io_write(fd, piece, n)) <= 0)
			return from;
		from += (size_t)w;
	}
}

/* Reads what there is.  The position up to which it was right, or BIG + 1. */
static size_t
check_pattern(SSL *ssl, size_t from)
{
	char piece[8192];
	int n;

	while (from <= BIG && (n = SSL_read(ssl, piece, sizeof piece)) > 0) {
		for (int i = 0; i < n; i++)
			if (piece[i] != (char)((from + (size_t)i) * 7 >> 3))
				return BIG + 1;
		from += (size_t)n;
	}
	return from;
}

/* Asks for a new key, again and again, without reading the answers; then says one byte. */
static bool
flood(SSL *ssl, int messages)
{
	for (int i = 0; i < messages; i++)
		if (SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) != 1 ||
		    SSL_do_handshake(ssl) != 1)
			return false;
	return SSL_write(ssl, "y", 1) == 1;
}

static void
wait_for_more(const struct rig *r)
{
	struct pollfd fds[2] = { { .fd = r->net, .events = POLLIN },
		{ .fd = r->heard, .events = POLLIN } };

	(void)poll(fds, 2, 100);
}

/* Reads until the program has the byte behind a flood. */
static bool
await_byte(const struct rig *r, size_t *heard, int64_t deadline)
{
	char c = 0;

	while (deadline_now() < deadline) {
		*heard = check_pattern(r->ssl, *heard);
		if (io_read(r->heard, &c, 1) == 1)
			return c == 'y';
		wait_for_more(r);
	}
	return false;
}

static void
test_key_updates(struct tap *t, struct rig *r, bool talking, const char *name)
{
	const int64_t deadline = deadline_after(LONG_MS / 60);
	size_t said = 0, heard = 0;
	int round = 0;

	ok(t, start(r, LONG_MS) && io_nonblock(r->net, true) == 0 &&
	    io_nonblock(r->said, true) == 0 && io_nonblock(r->heard, true) == 0, "%s", name);
	do {
		if (talking)
			said = say_pattern(r->said, said);
	} while (flood(r->ssl, BURST) && await_byte(r, &heard, deadline) && ++round < ROUNDS);
	ok(t, round == ROUNDS, "what the client says behind them arrives");
	while (heard < BIG && deadline_now() < deadline) {
		said = say_pattern(r->said, said);
		heard = check_pattern(r->ssl, heard);
		if (heard < BIG)
			wait_for_more(r);
	}
	ok(t, heard == BIG, "so does all that the program says");
	ok(t, stop(r) == END_FINE, "an end as others have");
}

static void
test_floods(struct tap *t, struct rig *r)
{
	long before;

	ok(t, start(r, LONG_MS) && stop(r) == END_FINE, "a session to compare with");
	before = r->kb;
	test_key_updates(t, r, false, "a new key is asked for, again and again");
	ok(t, r->kb < before + GROWTH_KB, "in no more memory");
	test_key_updates(t, r, true, "also while much is to be read");
	ok(t, r->kb < before + GROWTH_KB, "in no more memory either");
}

/* ---- a client that never pauses ---- */

/* Floods that are ready in memory, sent as fast as they are taken. */
static int
pour(const struct rig *r, int messages, bool endless)
{
	BIO *flow = BIO_new(BIO_s_mem());
	char *at = NULL;
	long n;

	if (!flow)
		return 1;
	SSL_set0_wbio(r->ssl, flow);
	do {
		if (BIO_reset(flow) != 1 || !flood(r->ssl, messages) ||
		    (n = BIO_get_mem_data(flow, &at)) <= 0 ||
		    io_write_all(r->net, at, (size_t)n) == -1)
			return 1;
	} while (endless);
	return 0;
}

/* A session whose client is a process of its own; -1. */
static pid_t
start_torrent(struct rig *r, int64_t idle_ms, int messages, bool endless)
{
	pid_t pid = -1;

	if (start(r, idle_ms) && io_nonblock(r->heard, true) == 0 && (pid = fork()) == 0)
		_exit(pour(r, messages, endless));
	return pid;
}

static int
end_of(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_torrent(struct tap *t, struct rig *r)
{
	const int64_t deadline = deadline_after(LONG_MS / 60);
	const pid_t client = start_torrent(r, LONG_MS, TORRENT, false);
	char c = 0, answers[1024];

	ok(t, client != -1, "a new key is asked for without a pause");
	while (io_read(r->heard, &c, 1) != 1 && deadline_now() < deadline) {
		wait_for_more(r);
		(void)recv(r->net, answers, sizeof answers, MSG_DONTWAIT);
	}
	ok(t, c == 'y', "what is behind it arrives, though the answers are read by and by");
	ok(t, end_of(client) == 0, "the client has said it all");
	ok(t, stop(r) == END_FINE, "and never were more answers kept than the limit");
}

static void
test_endless(struct tap *t, struct rig *r)
{
	const int64_t deadline = deadline_after(LONG_MS / 60);
	const pid_t client = start_torrent(r, IDLE_MS, BATCH, true);
	struct pollfd program = { .fd = r->heard, .events = POLLIN };
	char c[64];
	ssize_t n;

	ok(t, client != -1, "without a pause and without an end, and the answers are not read");
	while ((n = io_read(r->heard, c, sizeof c)) != 0 && deadline_now() < deadline)
		if (n == -1)
			(void)poll(&program, 1, 100);
	if (!ok(t, n == 0, "the time of a client that takes nothing is limited"))
		(void)kill(r->pump, SIGKILL);
	ok(t, end_of(client) == 1, "it meets the end of the connection");
	ok(t, stop(r) == END_FINE, "and never were more answers kept than the limit");
}

int
main(void)
{
	struct rig rig = { .net = -1 };
	struct tap t = { 0 };

	sig_ignore(SIGPIPE);
	rig.ctx = tlsopt_new(TLS_method());
	ok(&t, rig.ctx, "a context");
	test_idle(&t, &rig);
	test_no_handshake(&t, &rig);
	test_floods(&t, &rig);
	test_torrent(&t, &rig);
	test_endless(&t, &rig);
	SSL_CTX_free(rig.ctx);
	return done(&t);
}
