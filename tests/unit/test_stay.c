/* stay: a program that stays, played by a child of this test. */
#include "queue/stay.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/io.h"
#include "lib/packet.h"
#include "lib/proc.h"
#include "tap.h"

#define GREETING "test 1"
#define ROOM 40

/* What it is told, in lines; then for each `N` a text of N bytes with NULs where pieces end. */
static void
play(void)
{
	char line[ROOM + 8] = "test\0                                    ";
	char *argv[] = { line, line + 5, NULL };
	struct stay *s = stay_begin(argv, GREETING, "busy", "idle");

	while (s && stay_next(s)) {
		size_t size = s->n ? strtoul(s->strings[0], NULL, 10) : 0;
		char *text = malloc(size + 1);

		if (!text)
			abort();
		memset(text, 'a', size);
		for (size_t i = STAYPROTO_PIECE; i < size; i += STAYPROTO_PIECE)
			text[i] = '\0';
		stay_output(span_of(text, size));
		free(text);
		if (s->n == 0)
			stay_decline(s, true);
		else
			stay_done(s, (int)s->n, false);
	}
	if (s)
		stay_end(s);
}

static pid_t
start(int *fd)
{
	int fds[2];
	pid_t pid;

	if (packet_pair(fds) == -1 || (pid = proc_fork()) == -1)
		abort();
	if (pid == 0) {
		(void)close(fds[0]);
		if (proc_copy_fd(0, fds[1]) == 0)
			play();
		_exit(0);
	}
	(void)close(fds[1]);
	*fd = fds[0];
	return pid;
}

static void
ask(int fd, struct span request)
{
	int message = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (message == -1 || packet_send(fd, request, &message, 1) == -1)
		abort();
	(void)close(message);
}

/* What is said up to a packet that begins with NUL, which goes to *end; false: there is none. */
static bool
answer(int fd, struct buf *output, struct buf *end, size_t *longest)
{
	char packet[2 * STAYPROTO_PIECE];
	ssize_t n;

	buf_reset(output);
	buf_reset(end);
	*longest = 0;
	while ((n = io_read(fd, packet, sizeof packet)) > 0) {
		if (packet[0] == '\0') {
			buf_add(end, packet, (size_t)n);
			return true;
		}
		*longest = (size_t)n > *longest ? (size_t)n : *longest;
		buf_add(output, packet, (size_t)n);
	}
	return false;
}

static void
test_answers(struct tap *t)
{
	static const struct {
		struct span request;
		size_t size;
		struct span end;
	} rows[] = {
		{ { "1\0" "0\0", 4 }, 0, { "\0" "1 1", 4 } },
		{ { "2\0" "1\0b\0", 6 }, 1, { "\0" "2 2", 4 } },
		{ { "3\0" "4096\0", 7 }, 4096, { "\0" "3 1", 4 } },
		{ { "4\0" "4097\0", 7 }, 4097, { "\0" "4 1", 4 } },
		{ { "5\0" "20000\0", 8 }, 20000, { "\0" "5 1", 4 } },
		{ { "6\0", 2 }, 0, { "\0" "6 - last", 9 } },
	};
	struct buf output = { 0 }, end = { 0 };
	char greeting[PACKET_GREETING_MAX];
	size_t longest;
	int fd, status;
	pid_t pid = start(&fd);

	ok(t, io_read(fd, greeting, sizeof greeting) > (ssize_t)strlen(GREETING) &&
	    memcmp(greeting, GREETING " ", strlen(GREETING " ")) == 0, "greeting");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ask(fd, rows[i].request);
		ok(t, answer(fd, &output, &end, &longest), "an end");
		is(t, buf_span(&end), rows[i].end, "which it is");
		ok(t, output.n == rows[i].size && longest <= STAYPROTO_PIECE, "all the output");
	}
	(void)close(fd);
	ok(t, proc_wait(pid, &status) == 0 && status == 0, "it ends with the socket");
	buf_free(&output);
	buf_free(&end);
}

/* A request that is none is the last one. */
static void
test_requests(struct tap *t)
{
	static const struct span rows[] = { { "1", 1 }, { "1\0joe", 5 },
		{ "123456789012345678901\0joe\0", 26 }, { "1\0joe\0x", 7 } };
	struct buf output = { 0 }, end = { 0 };
	char greeting[PACKET_GREETING_MAX];
	size_t longest;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int fd, status;
		pid_t pid = start(&fd);

		(void)!io_read(fd, greeting, sizeof greeting);
		ask(fd, rows[i]);
		ok(t, !answer(fd, &output, &end, &longest) && proc_wait(pid, &status) == 0 &&
		    status == 0, "a request that is none: it ends");
		(void)close(fd);
	}
	buf_free(&output);
	buf_free(&end);
}

int
main(void)
{
	struct tap t = { 0 };

	test_answers(&t);
	test_requests(&t);
	return done(&t);
}
