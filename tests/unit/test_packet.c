/* packet: what arrives, and what is not taken. */
#include "lib/packet.h"

#include <errno.h>
#include <unistd.h>

#include "lib/io.h"
#include "scratch.h"
#include "tap.h"

static size_t
open_files(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Sends n descriptors and these bytes; receives with room for size bytes and m descriptors. */
static void
exchange(struct tap *t, const char *name, size_t bytes, size_t n, size_t size, size_t m, int error)
{
	char text[64] = "", got[64];
	int pair[2], here[PACKET_FDS_MAX] = { 0, 1, 2, 0 }, there[PACKET_FDS_MAX];
	size_t before = open_files();
	ssize_t r;

	if (packet_pair(pair) == -1)
		abort();
	memset(text, 'x', sizeof text);
	ok(t, packet_send(pair[0], span_of(text, bytes), here, n) == 0, "%s: sent", name);
	errno = 0;
	r = packet_receive(pair[1], got, size, there, m);
	if (error) {
		ok(t, r == -1 && errno == error, "%s: refused", name);
	} else {
		ok(t, r == (ssize_t)bytes && memcmp(text, got, bytes) == 0, "%s: received", name);
		for (size_t i = 0; i < m; i++) {
			ok(t, io_same_file(there[i], here[i]) &&
			    fcntl(there[i], F_GETFD) == FD_CLOEXEC, "%s: descriptor %zu", name, i);
			(void)close(there[i]);
		}
	}
	(void)close(pair[0]);
	ok(t, packet_receive(pair[1], got, size, there, m) == 0, "%s: then the end", name);
	(void)close(pair[1]);
	ok(t, open_files() == before, "%s: nothing is left open", name);
}

static void
greeting(struct tap *t)
{
	struct filemark own, other;
	char text[PACKET_GREETING_MAX * 2], name[PACKET_GREETING_MAX + 1];
	int pair[2];
	ssize_t n;

	filemark_take(&own, "/proc/self/exe");
	filemark_take(&other, "/proc/self/status");
	if (packet_pair(pair) == -1)
		abort();
	ok(t, packet_greet(pair[0], "test 1") == 0, "greets");
	n = io_read(pair[1], text, sizeof text);
	ok(t, n > 0 && packet_is_greeting(span_of(text, (size_t)n), "test 1", &own), "known");
	ok(t, n > 0 && !packet_is_greeting(span_of(text, (size_t)n), "test 2", &own), "its name");
	ok(t, n > 0 && !packet_is_greeting(span_of(text, (size_t)n), "test 1", &other), "its file");
	ok(t, n > 0 && !packet_is_greeting(span_of(text, (size_t)n - 1), "test 1", &own), "whole");
	ok(t, !packet_is_greeting(span_of("", 0), "test 1", &own), "empty");
	memset(name, 'x', sizeof name);
	name[PACKET_GREETING_MAX] = '\0';
	ok(t, packet_greet(pair[0], name) == -1, "a name that is too long");
	ok(t, packet_is_socket(pair[0]) && !packet_is_socket(100), "is it a socket");
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* Who does not read makes nobody wait. */
static void
full(struct tap *t)
{
	char text[1000] = "";
	int pair[2], here = 0;

	if (packet_pair(pair) == -1)
		abort();
	(void)alarm(60);
	errno = 0;
	while (packet_send(pair[0], span_of(text, sizeof text), &here, 1) == 0)
		;
	ok(t, errno == EAGAIN, "no room");
	(void)alarm(0);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

int
main(void)
{
	struct tap t = { 0 };

	greeting(&t);
	full(&t);
	exchange(&t, "two", 10, 2, 64, 2, 0);
	exchange(&t, "as many as can be", 64, PACKET_FDS_MAX, 64, PACKET_FDS_MAX, 0);
	exchange(&t, "no room for the bytes", 11, 2, 10, 2, EMSGSIZE);
	exchange(&t, "just room", 10, 1, 10, 1, 0);
	exchange(&t, "one too many", 10, 3, 64, 2, EPROTO);
	exchange(&t, "one too few", 10, 1, 64, 2, EPROTO);
	ok(&t, packet_send(0, span_of("x", 1), (int[]){ 0, 0, 0, 0, 0 }, PACKET_FDS_MAX + 1) == -1,
	    "more than can be");
	return done(&t);
}
