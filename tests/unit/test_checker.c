/* checker: real and hostile programs in the place of a password checker. */
#include "lib/checker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/sig.h"
#include "scratch.h"
#include "tap.h"

static char sh[] = "sh", dash_c[] = "-c";

static const struct checker_login login = {
	{ "joe", 3 }, { "se cret", 7 }, { "", 0 }
};

static enum checker_verdict
run(const char *script, bool decides, int64_t wait_ms)
{
	char text[400];
	char *argv[] = { sh, dash_c, text, NULL };
	struct checker c = { .argv = argv, .decides = decides, .wait_ms = wait_ms };
	enum checker_verdict verdict;

	snprintf(text, sizeof text, "%s", script);
	verdict = checker_start(&c, &login);
	return verdict == CHECKER_YES ? checker_finish(&c) : verdict;
}

static const struct {
	const char *name, *script;
	enum checker_verdict decides, takes_over;
} rows[] = {
	{ "yes", "cat <&3 >/dev/null; exit 0", CHECKER_YES, CHECKER_YES },
	{ "reads two fields", "read -r x <&3; exit 0", CHECKER_YES, CHECKER_YES },
	{ "reads one byte", "head -c 1 <&3 >/dev/null; exit 0", CHECKER_YES, CHECKER_YES },
	{ "never looks", "exit 0", CHECKER_DEAF, CHECKER_YES },
	{ "closes it", "exec 3<&-; exit 0", CHECKER_DEAF, CHECKER_YES },
	{ "never looks, and says no", "exit 1", CHECKER_NO, CHECKER_NO },
	{ "1", "cat <&3 >/dev/null; exit 1", CHECKER_NO, CHECKER_NO },
	{ "2", "cat <&3 >/dev/null; exit 2", CHECKER_NO, CHECKER_NO },
	{ "3", "cat <&3 >/dev/null; exit 3", CHECKER_NO, CHECKER_NO },
	{ "100", "cat <&3 >/dev/null; exit 100", CHECKER_NO, CHECKER_NO },
	{ "111", "cat <&3 >/dev/null; exit 111", CHECKER_BUSY, CHECKER_BUSY },
	{ "255", "exit 255", CHECKER_NO, CHECKER_NO },
	{ "SIGKILL", "kill -9 $$", CHECKER_KILLED, CHECKER_KILLED },
	{ "SIGSEGV", "kill -11 $$", CHECKER_KILLED, CHECKER_KILLED },
	{ "SIGPIPE is not ignored", "kill -13 $$; cat <&3 >/dev/null", CHECKER_KILLED,
	    CHECKER_KILLED },
};

/* What the program is given, and where its descriptors lead. */
static void
test_feed(struct tap *t)
{
	const char want[] = "joe\0se cret\0";
	char got[64];
	ssize_t n;
	int fd;

	ok(t, run("cat <&3 >got", true, 5000) == CHECKER_YES, "it may write");
	fd = open("got", O_RDONLY | O_CLOEXEC);
	n = io_read(fd, got, sizeof got);
	(void)close(fd);
	is(t, span_of(got, n < 0 ? 0 : (size_t)n), span_of(want, sizeof want), "descriptor 3");
	ok(t, run("cat <&3 >/dev/null; [ \"$(readlink /proc/$$/fd/0)\" = /dev/null ]", true,
	    5000) == CHECKER_YES, "0 is /dev/null");
	ok(t, run("cat <&3 >/dev/null; [ \"$(readlink /proc/$$/fd/1)\" = "
	    "\"$(readlink /proc/$$/fd/2)\" ]", true, 5000) == CHECKER_YES, "1 is joined to 2");
	ok(t, run("cat <&3 >/dev/null; for n in 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$n ] || "
	    "exit 1; done", true, 5000) == CHECKER_YES, "nothing else is open");
}

static void
test_hanging(struct tap *t)
{
	int64_t begun = deadline_now();
	struct checker c = { .argv = (char *[]){ dash_c, NULL } };
	struct pollfd held = { .events = POLLIN };
	int fds[2];

	if (pipe(fds) == -1 || fcntl(fds[0], F_SETFD, FD_CLOEXEC) == -1)
		abort();
	ok(t, run("sleep 1000 & sleep 1000; :", true, 300) == CHECKER_SILENT, "it hangs");
	ok(t, deadline_now() - begun < 20000, "and is not waited for");
	(void)close(fds[1]);
	held.fd = fds[0];
	ok(t, poll(&held, 1, 20000) == 1 && held.revents == POLLHUP, "nothing of it is left");
	(void)close(fds[0]);
	ok(t, run("exit 1", true, 0) != CHECKER_YES, "no time at all");
	ok(t, checker_start(&c, &login) == CHECKER_NO_START && c.pipe == -1, "no such program");
}

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	sig_ignore(SIGPIPE);
	scratch_enter(&scratch);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		is_num(&t, run(rows[i].script, true, 20000), rows[i].decides, rows[i].name);
		is_num(&t, run(rows[i].script, false, DEADLINE_NONE), rows[i].takes_over,
		    rows[i].name);
	}
	test_feed(&t);
	test_hanging(&t);
	scratch_leave(&scratch);
	return done(&t);
}
