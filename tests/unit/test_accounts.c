/* accounts: a qmail-getpw that is slow, played by a child of this test. */
#include "spawn/accounts.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/packet.h"
#include "tap.h"

static char self[] = "/proc/self/exe";

/* Answers each question after so long, until there are no more. */
static int
play(int fd, long delay_ms)
{
	const struct timespec delay = { .tv_nsec = delay_ms * 1000000 };
	char question[64];

	while (io_read(fd, question, sizeof question) > 0) {
		(void)nanosleep(&delay, NULL);
		if (io_write(fd, "\0joe", 4) != 4)
			return 1;
	}
	return 0;
}

static pid_t
begin(struct accounts *a, long delay_ms)
{
	int fds[2];
	pid_t pid;

	*a = (struct accounts){ .getpw = { .program = self, .state = RESIDENT_READY } };
	filemark_take(&a->getpw.file, self);
	if (packet_pair(fds) == -1)
		abort();
	if ((pid = fork()) == 0) {
		(void)close(fds[0]);
		_exit(play(fds[1], delay_ms));
	}
	(void)close(fds[1]);
	a->getpw.fd = fds[0];
	return pid;
}

/* How many of 20 questions are answered. */
static int
answered(struct accounts *a)
{
	struct buf answer = { 0 };
	int code = -1, n = 0;

	for (int i = 0; i < 20; i++)
		n += accounts_ask(a, "joe", &answer, &code) && code == 0 &&
		    span_eq(buf_span(&answer), span_str("joe"));
	buf_free(&answer);
	return n;
}

static void
end(struct tap *t, struct accounts *a, pid_t pid)
{
	int status;

	(void)close(a->getpw.fd);
	ok(t, waitpid(pid, &status, 0) == pid && status == 0, "it ends with its socket");
}

int
main(void)
{
	struct tap t = { 0 };
	struct accounts a;
	pid_t pid = begin(&a, ACCOUNTS_SHARE_MS * 3 / 5);
	int n;

	a.second = deadline_now() + 600000;	/* lasts, however slow this test is */
	n = answered(&a);
	ok(&t, n == 1 || n == 2, "a slow one is asked until its share is used up: %d", n);
	ok(&t, a.getpw.state == RESIDENT_READY, "and kept");
	a.second = deadline_now() - 1000;
	ok(&t, answered(&a) > 0, "in the next second it is asked again");
	end(&t, &a, pid);
	return done(&t);
}
