/* wire: netstrings inside netstrings, every status, silence. */
#include "qmtp/wire.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/conf.h"
#include "scratch.h"
#include "tap.h"

#define SHORT_MS 50

/* A wire that reads `sent`; the client stays connected if `open`.  Returns the client's end. */
static int
begin(struct wire *w, struct span sent, bool open)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1 ||
	    io_write_all(fds[1], sent.p, sent.n) == -1)
		abort();
	if (!open)
		(void)shutdown(fds[1], SHUT_WR);
	wire_init(w);
	w->in.fd = w->out.fd = fds[0];
	w->in.timeout_ms = w->out.timeout_ms = SHORT_MS;
	return fds[1];
}

static void
end(struct tap *t, struct wire *w, int client, enum wire_status status, int code, const char *name)
{
	int got;

	ok(t, w->status == status, "%s: status %d, wanted %d", name, (int)w->status, (int)status);
	got = wire_end(w);
	ok(t, got == code, "%s: exit code %d, wanted %d", name, got, code);
	(void)close(w->in.fd);
	(void)close(client);
}

/* The sender, then recipients inside a netstring: what a request of either protocol ends with. */
static const struct {
	const char *name, *sent;
	size_t n;		/* 0: strlen */
	bool open;
	const char *found;	/* each address and `!` (usable) or `?` */
	enum wire_status status;
	int code;
} rows[] = {
	{ "complete", "3:abc,10:1:d,3:efg,,", 0, false, "abc!d!efg!", WIRE_OK, CODE_OK },
	{ "nobody", "0:,0:,", 0, false, "!", WIRE_OK, CODE_OK },
	{ "empty ones", "0:,6:0:,0:,,", 0, false, "!!!", WIRE_OK, CODE_OK },
	{ "zeros in front", "003:abc,04:1:d,,", 0, false, "abc!d!", WIRE_OK, CODE_OK },
	{ "longest", "8:abcdefgh,0:,", 0, false, "abcdefgh!", WIRE_OK, CODE_OK },
	{ "too long", "9:abcdefghi,0:,", 0, false, "?", WIRE_OK, CODE_OK },
	{ "NUL", "3:a\0c,4:1:\0,,", 14, false, "??", WIRE_OK, CODE_OK },
	{ "nothing", "", 0, false, "", WIRE_GONE, CODE_OK },
	{ "ends in a length", "3", 0, false, "", WIRE_GONE, CODE_OK },
	{ "ends in a text", "3:ab", 0, false, "", WIRE_GONE, CODE_OK },
	{ "ends before the comma", "3:abc", 0, false, "", WIRE_GONE, CODE_OK },
	{ "ends before the last comma", "0:,4:1:d,", 0, false, "!d!", WIRE_GONE, CODE_OK },
	{ "silence", "", 0, true, "", WIRE_TIMEOUT, CODE_TEMP },
	{ "silence in a text", "3:ab", 0, true, "", WIRE_TIMEOUT, CODE_TEMP },
	{ "silence before the last comma", "0:,4:1:d,", 0, true, "!d!", WIRE_TIMEOUT, CODE_TEMP },
	{ "no number", "x:", 0, false, "", WIRE_PROTOCOL, CODE_PERM },
	{ "empty length", ":,", 0, false, "", WIRE_PROTOCOL, CODE_PERM },
	{ "negative", "-1:", 0, false, "", WIRE_PROTOCOL, CODE_PERM },
	{ "huge", "99999999999:", 0, false, "", WIRE_PROTOCOL, CODE_PERM },
	{ "wrong comma", "3:abcd", 0, false, "", WIRE_PROTOCOL, CODE_PERM },
	{ "wrong inner comma", "0:,4:1:d;,", 0, false, "!", WIRE_PROTOCOL, CODE_PERM },
	{ "wrong last comma", "0:,4:1:d,;", 0, false, "!d!", WIRE_PROTOCOL, CODE_PERM },
	{ "inner one too long", "0:,4:9:d,,", 0, false, "!", WIRE_PROTOCOL, CODE_PERM },
	{ "no room for its comma", "0:,4:2:de,,", 0, false, "!", WIRE_PROTOCOL, CODE_PERM },
	{ "length without colon", "0:,3:123,", 0, false, "!", WIRE_PROTOCOL, CODE_PERM },
	{ "byte left over", "0:,5:1:d,1,", 0, false, "!d!", WIRE_PROTOCOL, CODE_PERM },
};

static void
add(struct buf *found, const struct wire *w, bool usable, const struct buf *address)
{
	if (w->status != WIRE_OK)
		return;
	if (usable)
		buf_addbuf(found, address);
	buf_addc(found, usable ? '!' : '?');
}

static void
test_addresses(struct tap *t)
{
	struct buf address = { 0 }, found = { 0 };
	struct wire w;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = rows[i].n ? rows[i].n : strlen(rows[i].sent);
		int client = begin(&w, span_of(rows[i].sent, n), rows[i].open);
		bool usable = wire_address(&w, 8, &address);

		buf_reset(&found);
		add(&found, &w, usable, &address);
		wire_enter(&w);
		while (wire_more(&w)) {
			usable = wire_address(&w, 8, &address);
			add(&found, &w, usable, &address);
		}
		wire_leave(&w);
		is(t, buf_span(&found), span_str(rows[i].found), rows[i].name);
		end(t, &w, client, rows[i].status, rows[i].code, rows[i].name);
	}
	buf_free(&address);
	buf_free(&found);
}

static void
test_sticky(struct tap *t)
{
	struct buf address = { 0 };
	struct wire w;
	int client = begin(&w, span_str("5:abc,,5:"), false);

	wire_fail(&w, WIRE_TROUBLE);
	wire_fail(&w, WIRE_PROTOCOL);
	ok(t, wire_length(&w) == 0 && wire_getc(&w) == '\0' && wire_some(&w, 10).n == 0 &&
	    !wire_more(&w), "after a failure reads give nothing");
	(void)!wire_address(&w, 8, &address);
	wire_enter(&w);
	wire_leave(&w);
	end(t, &w, client, WIRE_TROUBLE, CODE_TEMP, "the first failure");
	client = begin(&w, span_str("3:abc,"), false);
	address = (struct buf)BUF_CAP(2);
	(void)!wire_address(&w, 8, &address);
	end(t, &w, client, WIRE_TROUBLE, CODE_TEMP, "no memory for an address");
	buf_free(&address);
}

static void
test_times(struct tap *t)
{
	struct wire w;
	int client;
	int64_t left;

	wire_init(&w);
	left = w.in.deadline - deadline_now();
	ok(t, w.in.timeout_ms == WIRE_TIMEOUT_MS && w.out.timeout_ms == WIRE_TIMEOUT_MS,
	    "patience for one read or write");
	ok(t, left > WIRE_TOTAL_MAX_MS - 10000 && left <= WIRE_TOTAL_MAX_MS &&
	    w.out.deadline == w.in.deadline, "and for the whole connection");
	client = begin(&w, span_str(""), true);
	w.in.timeout_ms = WIRE_TIMEOUT_MS;
	w.in.deadline = deadline_now();
	(void)wire_getc(&w);
	end(t, &w, client, WIRE_TIMEOUT, CODE_TEMP, "the connection lasts too long");
}

static void
test_answers(struct tap *t)
{
	char got[64];
	struct wire w;
	int client = begin(&w, span_str("xy"), true);
	ssize_t n;

	(void)wire_getc(&w);
	wire_answer(&w, span_str("Kok"));
	wire_answer(&w, span_str("Dno"));
	ok(t, recv(client, got, sizeof got, MSG_DONTWAIT) == -1, "answers wait");
	(void)wire_getc(&w);
	ok(t, recv(client, got, sizeof got, MSG_DONTWAIT) == -1, "while there is more to read");
	(void)wire_getc(&w);
	n = recv(client, got, sizeof got, MSG_DONTWAIT);
	is(t, span_of(got, n > 0 ? (size_t)n : 0), span_str("3:Kok,3:Dno,"),
	    "and leave before the client is waited for");
	wire_answer(&w, span_str("Zlast"));
	(void)!wire_end(&w);
	n = recv(client, got, sizeof got, MSG_DONTWAIT);
	is(t, span_of(got, n > 0 ? (size_t)n : 0), span_str("5:Zlast,"), "or at the end");
	(void)close(w.in.fd);
	(void)close(client);
}

int
main(void)
{
	struct tap t = { 0 };

	test_addresses(&t);
	test_sticky(&t);
	test_times(&t);
	test_answers(&t);
	return done(&t);
}
