/* submit: what the program in place of qmail-queue is given, and what its end means. */
#include "site.h"
#undef SITE_HOME
#define SITE_HOME "/"
#include "queue/submit.c"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/date.h"
#include "tap.h"

static char dir[] = "/tmp/submit.XXXXXX";
static char program[64];

/* The program is a script with this body, run in the test's directory. */
static void
set_program(const char *body)
{
	FILE *f = fopen(program, "w");

	if (!f || fprintf(f, "#!/bin/sh\ncd %s || exit 99\n%s\n", dir, body) < 0 ||
	    fclose(f) != 0 || chmod(program, 0755) == -1)
		exit(111);
}

static enum submit_result
send_one(struct buf *text)
{
	struct submit s;

	if (submit_open(&s) == -1)
		exit(111);
	submit_message(&s, "Subject: x\n\nhello\n", 18);
	submit_sender(&s, span_str("a@b.example"));
	submit_recipient(&s, span_str("c@d.example"));
	submit_recipient(&s, span_str(""));
	return submit_close(&s, text);
}

static void
check_file(struct tap *t, const char *name, struct span want)
{
	char path[96], bytes[4096];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : io_read(fd, bytes, sizeof bytes);
	is(t, span_of(bytes, n > 0 ? (size_t)n : 0), want, name);
	(void)close(fd);
}

#define OK SUBMIT_OK
#define TEMP SUBMIT_TEMPORARY
#define PERM SUBMIT_PERMANENT

static const struct {
	const char *end;		/* of the script */
	enum submit_result result;
	const char *text;
} rows[] = {
	{ "exit 0", OK, "" },
	{ "kill -9 $$", TEMP, "qq crashed (#4.3.0)" },
	{ "exit 11", PERM, "envelope address too long for qq (#5.1.3)" },
	{ "exit 115", PERM, "envelope address too long for qq (#5.1.3)" },
	{ "exit 31", PERM, "mail server permanently rejected message (#5.3.0)" },
	{ "exit 32", PERM, "Private key file does not exist (#5.3.5)" },
	{ "exit 51", TEMP, "qq out of memory (#4.3.0)" },
	{ "exit 52", TEMP, "qq timeout (#4.3.0)" },
	{ "exit 53", TEMP, "qq write error or disk full (#4.3.0)" },
	{ "exit 54", TEMP, "qq read error (#4.3.0)" },
	{ "exit 55", TEMP, "qq unable to read configuration (#4.3.0)" },
	{ "exit 56", TEMP, "qq trouble making network connection (#4.3.0)" },
	{ "exit 58", TEMP, "qq trouble creating child (#4.3.0)" },
	{ "exit 59", TEMP, "qq trouble creating pipes (#4.3.0)" },
	{ "exit 61", TEMP, "qq trouble in home directory (#4.3.0)" },
	{ "exit 62", TEMP, "qq trouble creating files in queue (#4.3.0)" },
	{ "exit 63", TEMP, "qq trouble creating files in queue (#4.3.0)" },
	{ "exit 64", TEMP, "qq trouble creating files in queue (#4.3.0)" },
	{ "exit 65", TEMP, "qq trouble creating files in queue (#4.3.0)" },
	{ "exit 66", TEMP, "qq trouble creating files in queue (#4.3.0)" },
	{ "exit 70", TEMP, "qq trouble with pid file (#4.3.0)" },
	{ "exit 71", TEMP, "mail server temporarily rejected message (#4.3.0)" },
	{ "exit 72", TEMP, "connection to mail server timed out (#4.4.1)" },
	{ "exit 73", TEMP, "connection to mail server rejected (#4.4.1)" },
	{ "exit 74", TEMP, "communication with mail server failed (#4.4.2)" },
	{ "exit 81", TEMP, "qq internal bug (#4.3.0)" },
	{ "exit 91", TEMP, "qq internal bug (#4.3.0)" },
	{ "exit 120", TEMP, "unable to exec qq (#4.3.0)" },
	{ "exit 10", TEMP, "qq temporary problem (#4.3.0)" },
	{ "exit 12", PERM, "qq permanent problem (#5.3.0)" },
	{ "exit 40", PERM, "qq permanent problem (#5.3.0)" },
	{ "exit 41", TEMP, "qq temporary problem (#4.3.0)" },
	{ "exit 100", TEMP, "qq temporary problem (#4.3.0)" },
	{ "exit 111", TEMP, "qq temporary problem (#4.3.0)" },
	{ "exit 82", TEMP, "qq temporary problem (#4.3.0)" },
	{ "exit 88", TEMP, "qq temporary problem (#4.3.0)" },
	{ "printf Dbad\\ virus >&4; exit 82", PERM, "bad virus (#5.7.1)" },
	{ "printf Zlater >&6; exit 82", TEMP, "later (#4.3.0)" },
	{ "printf Zlater >&9; exit 88", TEMP, "later (#4.3.0)" },
	{ "printf 'Dtwo\\nlines\\t\\001\\n\\n' >&4; exit 82", PERM,
	    "two?lines?? (#5.7.1)" },
	{ "printf D >&4; printf abc >&6; exit 82", PERM, "abc (#5.7.1)" },
	{ "printf Da >&4; exit 82", TEMP, "qq temporary problem (#4.3.0)" },
	{ "printf Dab >&4; exit 82", PERM, "ab (#5.7.1)" },
	{ "printf 'D\\n\\n\\n' >&4; exit 82", TEMP, "qq temporary problem (#4.3.0)" },
	{ "printf Xtext >&4; exit 82", TEMP, "Xtext (#4.3.0)" },
	{ "printf 'D5.7.9 spam' >&4; exit 82", PERM, "5.7.9 spam" },
	{ "printf 'Z 4.7.9' >&4; exit 82", TEMP, " 4.7.9 (#4.3.0)" },
	{ "printf 'Dspam (#5.6.255)' >&4; exit 88", PERM, "spam (#5.6.255)" },
	{ "printf 'D#1 spam #5.7.1000' >&4; exit 82", PERM,
	    "#1 spam #5.7.1000 (#5.7.1)" },
	{ "printf 'D#5.7 #' >&4; exit 82", PERM, "#5.7 # (#5.7.1)" },
	{ "printf 'D5..1 spam' >&4; exit 82", PERM, "5..1 spam (#5.7.1)" },
	{ "printf Dtext >&4; exit 81", TEMP, "qq internal bug (#4.3.0)" },
	{ "printf Dtext >&4; exit 0", OK, "" },
	{ "printf 'Df\\303\\274r' >&4; exit 82", PERM, "f??r (#5.7.1)" },
};

static void
test_results(struct tap *t)
{
	struct buf text = { 0 };
	char body[256];

	(void)setenv("ERROR_FD", "9", 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		(void)snprintf(body, sizeof body, "cat >/dev/null; cat <&1 >/dev/null\n%s",
		    rows[i].end);
		set_program(body);
		ok(t, send_one(&text) == rows[i].result, "%s", rows[i].end);
		is(t, buf_span(&text), span_str(rows[i].text), rows[i].end);
	}
	buf_free(&text);
	(void)unsetenv("ERROR_FD");
}

static void
test_bytes(struct tap *t)
{
	static const char envelope[] = "Fa@b.example\0Tc@d.example\0T\0";
	struct buf text = { 0 };

	set_program("cat >message; cat <&1 >envelope; echo \"$0 $#\" >arguments\n"
	    "for fd in 0 1 2 3 4 5 6 7 8 9; do\n"
	    "[ -e /proc/$$/fd/$fd ] && echo $fd; done >descriptors\n"
	    "exit 0");
	ok(t, send_one(&text) == SUBMIT_OK, "accepted");
	check_file(t, "message", span_str("Subject: x\n\nhello\n"));
	check_file(t, "envelope", span_of(envelope, sizeof envelope));
	buf_adds(&text, program);
	buf_adds(&text, " 0\n");
	check_file(t, "arguments", buf_span(&text));
	check_file(t, "descriptors", span_str("0\n1\n2\n4\n6\n"));
	buf_free(&text);
}

static void
check_withheld(struct tap *t, struct submit *s, const char *name)
{
	struct buf text = { 0 };

	ok(t, submit_close(s, &text) == SUBMIT_TEMPORARY, "%s: not accepted", name);
	is(t, buf_span(&text), span_str("qq read error (#4.3.0)"), name);
	buf_free(&text);
}

static void
test_abort(struct tap *t)
{
	struct submit s;

	/* Accepts all it gets, whole or not. */
	set_program("cat >/dev/null; cat <&1 >envelope; exit 0");
	(void)!submit_open(&s);
	submit_message(&s, "x", 1);
	check_withheld(t, &s, "closed before the envelope");
	check_file(t, "envelope", span_str(""));
	(void)!submit_open(&s);
	submit_sender(&s, span_str("a"));
	submit_abort(&s);
	submit_recipient(&s, span_str("b"));
	check_withheld(t, &s, "aborted");
	check_file(t, "envelope", span_str(""));
	(void)!submit_open(&s);
	submit_sender(&s, span_of("a\0b", 3));
	check_withheld(t, &s, "NUL in an address");
	(void)!submit_open(&s);
	ok(t, submit_copy(&s, -1) == -1, "message that cannot be read");
	submit_sender(&s, span_str("a"));
	check_withheld(t, &s, "and then");
	set_program("exit 0");
	(void)!submit_open(&s);
	for (int i = 0; i < 100; i++)
		submit_message(&s, dir, sizeof dir);
	for (int i = 0; i < 100; i++)
		submit_message(&s, s.buffer, sizeof s.buffer);
	submit_sender(&s, span_str("a"));
	check_withheld(t, &s, "program that reads nothing but says all is well");
}

static void
test_copy(struct tap *t)
{
	struct buf text = { 0 };
	struct submit s;
	char path[96];
	int fd;

	set_program("cat >copy; cat <&1 >/dev/null");
	(void)snprintf(path, sizeof path, "%s/message", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)!submit_open(&s);
	submit_message(&s, "A: b\n", 5);
	ok(t, submit_copy(&s, fd) == 0, "copied");
	(void)close(fd);
	submit_sender(&s, span_str(""));
	ok(t, submit_close(&s, &text) == SUBMIT_OK, "accepted");
	check_file(t, "copy", span_str("A: b\nSubject: x\n\nhello\n"));
	buf_free(&text);
}

/* Ends the process whose number the program left in the file `background`. */
static void
end_background(void)
{
	char path[sizeof dir + 16];
	long pid = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/background", dir);
	if (!(f = fopen(path, "r")) || fscanf(f, "%ld", &pid) != 1 || pid < 2 || fclose(f) != 0)
		exit(111);
	(void)kill((pid_t)pid, SIGKILL);
}

/* Programs that would hang a careless client. */
static void
test_hangs(struct tap *t)
{
	struct buf text = { 0 };
	struct submit s;
	int64_t begun = date_now();
	int status = 0;

	set_program("cat >/dev/null; cat <&1 >/dev/null\n"
	    "sleep 60 </dev/null >/dev/null 2>&1 &\n"
	    "echo $! >background\n"
	    "printf Dbackground >&4; exit 82");
	ok(t, send_one(&text) == SUBMIT_PERMANENT, "the pipe outlives the program");
	is(t, buf_span(&text), span_str("background (#5.7.1)"), "its reason");
	end_background();
	set_program("cat >/dev/null; cat <&1 >/dev/null\n"
	    "head -c 200000 /dev/zero | tr '\\0' D >&4; exit 82");
	ok(t, send_one(&text) == SUBMIT_PERMANENT, "a reason larger than a pipe");
	is_num(t, (long long)text.n, SUBMIT_TEXT_MAX - 1 + sizeof " (#5.7.1)" - 1,
	    "is cut");
	set_program("exec sleep 60");
	(void)!submit_open(&s);
	submit_set_timeout(&s, 100);
	for (int i = 0; i < 1000; i++)
		submit_message(&s, s.buffer, sizeof s.buffer);
	submit_sender(&s, span_str("a"));
	ok(t, s.failed, "a program that does not read: given up");
	(void)kill(s.pid, SIGKILL);
	ok(t, submit_close(&s, &text) == SUBMIT_TEMPORARY, "temporary");
	set_program("cat >/dev/null; cat <&1 >/dev/null; printf Dtext >&4; exec sleep 60");
	(void)!submit_open(&s);
	s.wait_ms = 100;
	submit_sender(&s, span_str("a"));
	ok(t, submit_close(&s, &text) == SUBMIT_TEMPORARY, "a program that does not end");
	is(t, buf_span(&text), span_str("qq timeout (#4.3.0)"), "its reason");
	is_num(t, waitpid(s.pid, &status, 0), s.pid, "it is left to the caller");
	ok(t, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "killed");
	ok(t, date_now() - begun < 30, "nothing was waited for");
	buf_free(&text);
}

static void
test_start(struct tap *t)
{
	struct buf text = { 0 };

	(void)setenv("QMAILQUEUE", "/nowhere/program", 1);
	ok(t, send_one(&text) == SUBMIT_TEMPORARY, "no such program");
	is(t, buf_span(&text), span_str("unable to exec qq (#4.3.0)"), "no such program");
	(void)setenv("QMAILQUEUE", "", 1);
	ok(t, send_one(&text) == SUBMIT_TEMPORARY, "empty variable");
	is(t, buf_span(&text), span_str("unable to exec qq (#4.3.0)"), "not here");
	(void)setenv("QMAILQUEUE", program + 1, 1);
	set_program("cat >/dev/null; cat <&1 >/dev/null");
	ok(t, send_one(&text) == SUBMIT_OK, "relative to the home directory");
	for (size_t i = 0; i < 3; i++) {
		static const char *const numbers[] = { "1", "256", "x" };

		(void)setenv("ERROR_FD", numbers[i], 1);
		ok(t, send_one(&text) == SUBMIT_OK, "ERROR_FD %s is not heeded", numbers[i]);
	}
	(void)unsetenv("ERROR_FD");
	buf_free(&text);
}

int
main(void)
{
	struct tap t = { 0 };
	char command[64];

	(void)signal(SIGPIPE, SIG_IGN);
	for (int fd = 3; fd < 10; fd++)
		(void)close(fd);	/* what the harness leaves open is not ours to explain */
	if (!mkdtemp(dir))
		return 111;
	(void)snprintf(program, sizeof program, "%s/program", dir);
	(void)setenv("QMAILQUEUE", program, 1);
	test_results(&t);
	test_bytes(&t);
	test_abort(&t);
	test_copy(&t);
	test_hangs(&t);
	test_start(&t);
	(void)snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? done(&t) : 111;
}
