/* qmqp: entries, requests, and servers that answer, refuse, die or stay silent. */
#include "remote/qmqp.h"

#undef QMQP_CONNECT_MS
#undef QMQP_TIMEOUT_MS
#undef QMQP_ANSWER_MAX_MS
#define QMQP_CONNECT_MS 300
#define QMQP_TIMEOUT_MS 300
#define QMQP_ANSWER_MAX_MS 600
#include "remote/qmqp.c"

#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/sig.h"
#include "scratch.h"
#include "tap.h"

static const struct {
	const char *entry;
	const char *address;	/* NULL: not usable */
	int port;
} entries[] = {
	{ "192.0.2.1", "192.0.2.1", QMQP_PORT },
	{ "192.0.2.1:1", "192.0.2.1", 1 },
	{ "192.0.2.1:65535", "192.0.2.1", 65535 },
	{ "192.0.2.1:6280 and more", "192.0.2.1", 6280 },
	{ "192.0.2.1 and more", "192.0.2.1", QMQP_PORT },
	{ "192.0.2.1:", "192.0.2.1", QMQP_PORT },
	{ "192.0.2.1:qmqp", "192.0.2.1", QMQP_PORT },
	{ "192.0.2.1/24", "192.0.2.1", QMQP_PORT },
	{ "192.0.2.1:0", NULL, 0 },
	{ "192.0.2.1:65536", NULL, 0 },
	{ "192.0.2.1:18446744073709551617", NULL, 0 },
	{ "[192.0.2.1]:6280", "192.0.2.1", 6280 },
	{ "2001:db8::1", "2001:db8::1", QMQP_PORT },
	{ "2001:db8::1 and more", "2001:db8::1", QMQP_PORT },
	{ "::1", "::1", QMQP_PORT },
	{ "[2001:db8::1]", "2001:db8::1", QMQP_PORT },
	{ "[2001:db8::1]:6280", "2001:db8::1", 6280 },
	{ "[IPv6:2001:db8::1]:6280", "2001:db8::1", 6280 },
	{ "[2001:db8::1]:0", NULL, 0 },
	{ "[2001:db8::1", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "", NULL, 0 },
	{ " 192.0.2.1", NULL, 0 },
	{ ":628", NULL, 0 },
	{ "mail.example.org", NULL, 0 },
	{ "192.0.2", NULL, 0 },
	{ "192.0.2.256", NULL, 0 },
	{ "192.0.2.1.5", NULL, 0 },
};

static void
test_entries(struct tap *t)
{
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		char text[IP_TEXT_SIZE] = "";
		struct qmqp_server server;
		bool usable = qmqp_parse_server(span_str(entries[i].entry), &server);

		if (usable)
			(void)ip_format(&server.ip, text);
		ok(t, entries[i].address ? usable && strcmp(text, entries[i].address) == 0 &&
		    server.port == entries[i].port : !usable, "entry `%s`", entries[i].entry);
	}
}

/* ---- requests ---- */

static const struct {
	const char *name, *envelope;	/* `|` stands for NUL */
	enum qqcode code;
	const char *netstrings;
} envelopes[] = {
	{ "two recipients", "Fa@b|Tc@d|Te|||", QQ_OK, "3:a@b,3:c@d,1:e," },
	{ "null sender", "F|Tc@d||", QQ_OK, "0:,3:c@d," },
	{ "no recipient", "Fa@b||", QQ_OK, "3:a@b," },
	{ "empty recipient", "Fa@b|T||", QQ_OK, "3:a@b,0:," },
	{ "more after the end", "Fa@b|Tc@d||Te|x", QQ_OK, "3:a@b,3:c@d," },
	{ "no final NUL", "Fa@b|Tc@d|", QQ_FORMAT, NULL },
	{ "ends in a recipient", "Fa@b|Tc@", QQ_FORMAT, NULL },
	{ "nothing", "", QQ_FORMAT, NULL },
	{ "no sender", "|", QQ_FORMAT, NULL },
	{ "recipient first", "Tc@d|Fa@b||", QQ_FORMAT, NULL },
	{ "two senders", "Fa@b|Fa@b||", QQ_FORMAT, NULL },
	{ "other letter", "Fa@b|tc@d||", QQ_FORMAT, NULL },
};

static int
envelope_file(const char *text)
{
	char *copy = strdup(text);
	int fd = scratch_file("envelope", "");

	if (!copy)
		abort();
	for (char *p = copy; *p; p++)
		if (*p == '|')
			*p = '\0';
	if (io_write_all(fd, copy, strlen(text)) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	free(copy);
	return fd;
}

static void
test_envelopes(struct tap *t)
{
	for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
		struct qmqp_request r = QMQP_REQUEST_EMPTY;
		int message = scratch_file("message", "text\n");
		int envelope = envelope_file(envelopes[i].envelope);
		enum qqcode code = qmqp_read_request(&r, message, envelope);

		is_num(t, code, envelopes[i].code, envelopes[i].name);
		if (envelopes[i].netstrings)
			is(t, buf_span(&r.envelope), span_str(envelopes[i].netstrings),
			    envelopes[i].name);
		qmqp_free_request(&r);
		(void)close(message);
		(void)close(envelope);
	}
}

static void
test_addresses(struct tap *t)
{
	static const struct { size_t n; enum qqcode code; } rows[] = {
		{ ENVELOPE_RECORD_MAX, QQ_OK }, { ENVELOPE_RECORD_MAX + 1, QQ_ADDRESS_TOO_LONG }
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct qmqp_request r = QMQP_REQUEST_EMPTY, bad = QMQP_REQUEST_EMPTY;
		int message = scratch_file("message", "");
		char *text = malloc(rows[i].n + 4);
		int envelope;

		if (!text)
			abort();
		memset(text, 'a', rows[i].n + 1);
		text[0] = 'F';
		strcpy(text + rows[i].n + 1, "||");
		envelope = envelope_file(text);
		is_num(t, qmqp_read_request(&r, message, envelope), rows[i].code,
		    "address at the limit, above it");
		(void)lseek(envelope, 0, SEEK_SET);
		bad.envelope.max = 100;
		is_num(t, qmqp_read_request(&bad, message, envelope),
		    rows[i].code == QQ_OK ? QQ_MEMORY : rows[i].code, "envelope too large");
		is_num(t, qmqp_read_request(&bad, -1, envelope), QQ_READ, "no message");
		is_num(t, qmqp_read_request(&bad, message, -1), QQ_READ, "no envelope");
		qmqp_free_request(&r);
		qmqp_free_request(&bad);
		(void)close(envelope);
		(void)close(message);
		free(text);
	}
}

/* ---- servers ---- */

enum reading { ALL, HALF, NONE };

static const struct {
	const char *name;
	bool large;		/* a request that no buffer of the kernel holds */
	enum reading reading;
	const char *answer;	/* NULL: it stays silent until the client goes */
	enum qqcode code;
	bool final;
	const char *reason;
} servers[] = {
	{ "accepts", false, ALL, "26:Kok 1700000000 qp 12345...,", QQ_OK, true, "" },
	{ "accepts much", true, ALL, "3:Kok,", QQ_OK, true, "" },
	{ "accepts and dies", false, ALL, "3:K", QQ_OK, true, "" },
	{ "refuses", false, ALL, "8:Dno (#5),", QQ_REFUSED, true, "Dno (#5)" },
	{ "refuses for now", false, ALL, "6:Zlater,", QQ_REFUSED_NOW, true, "Zlater" },
	{ "refuses without a word", false, ALL, "1:D,", QQ_REFUSED, true, "D" },
	{ "refuses and dies", false, ALL, "10:Dno", QQ_REFUSED, true, "Dno" },
	{ "refuses in control bytes", false, ALL, "7:Da\r\nb\t\177,", QQ_REFUSED, true, "Da??b??" },
	{ "says more than its answer", false, ALL, "3:Dno,Kok", QQ_REFUSED, true, "Dno" },
	{ "says nothing and dies", false, ALL, "", QQ_CONN_FAILED, true, "" },
	{ "says nothing", false, ALL, NULL, QQ_CONN_FAILED, true, "" },
	{ "dies in the length", false, ALL, "2", QQ_CONN_FAILED, true, "" },
	{ "dies after the length", false, ALL, "2:", QQ_CONN_FAILED, true, "" },
	{ "no netstring", false, ALL, "Kok,", QQ_CONN_FAILED, true, "" },
	{ "negative", false, ALL, "-3:Kok,", QQ_CONN_FAILED, true, "" },
	{ "huge", false, ALL, "99999999999:Kok,", QQ_CONN_FAILED, true, "" },
	{ "empty answer", false, ALL, "0:,", QQ_CONN_FAILED, true, "" },
	{ "unknown letter", false, ALL, "3:kok,", QQ_CONN_FAILED, true, "" },
	{ "dies before the last byte", true, HALF, "", QQ_CONN_FAILED, false, "" },
	{ "answers too early and dies", true, HALF, "3:Kok,", QQ_CONN_FAILED, false, "" },
	{ "takes nothing", true, NONE, NULL, QQ_CONN_FAILED, false, "" },
};

/* A listening socket on loopback. */
static int
listen_at(struct qmqp_server *server, int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (const struct sockaddr *)&a, sizeof a) == -1 ||
	    listen(fd, backlog) == -1 || conn_local(fd, &server->ip, &server->port) == -1)
		abort();
	return fd;
}

/* Reads up to n bytes of a request; false: the client went away before. */
static bool
swallow(int fd, uint64_t n)
{
	char chunk[65536];

	while (n) {
		ssize_t r = io_read(fd, chunk, n < sizeof chunk ? (size_t)n : sizeof chunk);

		if (r <= 0)
			return false;
		n -= (uint64_t)r;
	}
	return true;
}

static pid_t
start_server(int listener, size_t row, uint64_t request_size)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	if ((fd = accept(listener, NULL, NULL)) == -1)
		_exit(2);
	while (servers[row].reading == NONE)
		(void)pause();
	if (!swallow(fd, servers[row].reading == HALF ? 100000 : request_size))
		_exit(3);
	if (servers[row].answer) {
		(void)!io_write_all(fd, servers[row].answer, strlen(servers[row].answer));
		_exit(0);
	}
	(void)swallow(fd, UINT64_MAX);
	_exit(0);
}

static void
make_request(struct qmqp_request *r, size_t size)
{
	char *text = calloc(1, size + 1);
	int message, envelope = envelope_file("Fa@b|Tc@d||");

	if (!text)
		abort();
	memset(text, 'x', size);
	message = scratch_file("message", text);
	free(text);
	if (qmqp_read_request(r, message, envelope) != QQ_OK)
		abort();
	(void)close(message);
	(void)close(envelope);
}

static uint64_t
request_size(const struct qmqp_request *r)
{
	return netstr_size(netstr_size(r->message.size) + r->envelope.n);
}

static void
test_servers(struct tap *t)
{
	struct qmqp_request small = QMQP_REQUEST_EMPTY, large = QMQP_REQUEST_EMPTY;
	struct buf reason = { 0 };

	make_request(&small, 1000);
	make_request(&large, 20 << 20);
	for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
		const struct qmqp_request *r = servers[i].large ? &large : &small;
		struct qmqp_server server;
		int listener = listen_at(&server, 1), status;
		pid_t pid = start_server(listener, i, request_size(r));
		bool final;

		is_num(t, qmqp_send(r, &server, &reason, &final), servers[i].code, servers[i].name);
		ok(t, final == servers[i].final, "%s: %s", servers[i].name,
		    final ? "that is all" : "the next one may be tried");
		is(t, buf_span(&reason), span_str(servers[i].reason), servers[i].name);
		if (servers[i].reading == NONE)
			(void)kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid ||
		    (servers[i].reading != NONE && status != 0))
			ok(t, false, "%s: the server got less than the request", servers[i].name);
		(void)close(listener);
	}
	qmqp_free_request(&small);
	qmqp_free_request(&large);
	buf_free(&reason);
}

static void
test_long_reason(struct tap *t)
{
	struct qmqp_request r = QMQP_REQUEST_EMPTY;
	struct buf reason = { 0 };
	struct qmqp_server server;
	int listener = listen_at(&server, 1);
	bool final;
	pid_t pid;

	make_request(&r, 10);
	if ((pid = fork()) == 0) {
		char text[1010] = "1000:D";
		int fd = accept(listener, NULL, NULL);

		memset(text + 6, 'y', 1000);
		(void)swallow(fd, request_size(&r));
		(void)!io_write_all(fd, text, 1006);
		_exit(0);
	}
	is_num(t, qmqp_send(&r, &server, &reason, &final), QQ_REFUSED, "a long reason");
	is_num(t, (long long)reason.n, QMQP_REASON_MAX, "is cut");
	(void)waitpid(pid, NULL, 0);
	(void)close(listener);
	/* One byte now and then keeps every read short, but not the whole. */
	listener = listen_at(&server, 1);
	if ((pid = fork()) == 0) {
		int fd = accept(listener, NULL, NULL);
		const struct timespec pause = { .tv_nsec = 50000000 };

		while (io_write(fd, "0", 1) == 1)
			(void)nanosleep(&pause, NULL);
		_exit(0);
	}
	is_num(t, qmqp_send(&r, &server, &reason, &final), QQ_CONN_FAILED, "an endless length");
	(void)waitpid(pid, NULL, 0);
	(void)close(listener);
	qmqp_free_request(&r);
	buf_free(&reason);
}

static void
test_connecting(struct tap *t)
{
	struct qmqp_request r = QMQP_REQUEST_EMPTY;
	struct rlimit files = { 0, 0 }, none;
	struct buf reason = { 0 };
	struct qmqp_server server;
	int listener = listen_at(&server, 0), waiting[3];
	bool final;

	make_request(&r, 10);
	for (size_t i = 0; i < 3; i++)	/* the kernel's queue is full then */
		waiting[i] = conn_open(&server.ip, server.port, NULL, 100);
	is_num(t, qmqp_send(&r, &server, &reason, &final), QQ_CONN_TIMEOUT, "nobody answers");
	ok(t, !final, "nobody answers: the next one may be tried");
	for (size_t i = 0; i < 3; i++)
		if (waiting[i] != -1)
			(void)close(waiting[i]);
	(void)close(listener);
	is_num(t, qmqp_send(&r, &server, &reason, &final), QQ_CONN_REFUSED, "nobody there");
	ok(t, !final, "nobody there: the next one may be tried");
	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		abort();
	none = (struct rlimit){ 0, files.rlim_max };
	(void)setrlimit(RLIMIT_NOFILE, &none);
	is_num(t, qmqp_send(&r, &server, &reason, &final), QQ_NETWORK, "no socket");
	ok(t, final, "no socket: for another server neither");
	(void)setrlimit(RLIMIT_NOFILE, &files);
	qmqp_free_request(&r);
	buf_free(&reason);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch scratch;

	sig_ignore(SIGPIPE);
	scratch_enter(&scratch);
	test_entries(&t);
	test_envelopes(&t);
	test_addresses(&t);
	test_servers(&t);
	test_long_reason(&t);
	test_connecting(&t);
	scratch_leave(&scratch);
	return done(&t);
}
