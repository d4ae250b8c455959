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

static bool
asks(struct accounts *a)
{
	struct buf answer = { 0 };
	int code = -1;
	bool answered = accounts_ask(a, "joe", &answer, &code) && code == 0 &&
	    span_eq(buf_span(&answer), span_str("joe"));

	buf_free(&answer);
	return answered;
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
	pid_t pid = begin(&a, ACCOUNTS_SLOW_MS + 1);

	a.second = deadline_now() + 600000;	/* lasts, however slow this test is */
	(void)asks(&a);
	ok(&t, a.waited_ms >= ACCOUNTS_SLOW_MS, "a slow answer counts");
	(void)close(a.getpw.fd);
	(void)waitpid(pid, NULL, 0);

	pid = begin(&a, 0);
	a.second = deadline_now() + 600000;
	a.waited_ms = ACCOUNTS_SHARE_MS;
	ok(&t, !asks(&a), "not asked when the share of this second is used up");
	ok(&t, a.getpw.state == RESIDENT_READY, "but kept");
	a.second = deadline_now() - 1000;
	ok(&t, asks(&a) || a.getpw.state == RESIDENT_NONE, "in the next second it is asked again");
	ok(&t, a.waited_ms < ACCOUNTS_SHARE_MS, "with nothing to its account");
	end(&t, &a, pid);
	return done(&t);
}
