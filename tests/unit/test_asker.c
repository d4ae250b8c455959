/* asker: questions to a program that answers, does not, or says too much. */
#include "lib/asker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sig.h"
#include "tap.h"

static const struct {
	const char *name, *script;	/* of sh */
	int rc;
	const char *answer;
} programs[] = {
	{ "echoes", "cat", 0, "question" },
	{ "answers", "printf 'yes\\0'; cat >/dev/null", 0, "yes" },
	{ "longest answer", "printf '1234567890\\0'; cat >/dev/null", 0, "1234567890" },
	{ "longer one", "printf '12345678901\\0'; cat >/dev/null", -1, NULL },
	{ "no NUL", "printf yes", -1, NULL },
	{ "two answers", "printf 'yes\\0no\\0'; cat >/dev/null", -1, NULL },
	{ "ends", "exit 0", -1, NULL },
	{ "is killed", "kill -9 $$", -1, NULL },
	{ "says nothing", "cat >/dev/null", -1, NULL },
};

static int
ask(struct asker *a, const char *script, struct span question, struct buf *answer)
{
	char shell[] = "/bin/sh", c[] = "-c", text[100];
	char *argv[] = { shell, c, text, NULL };

	(void)snprintf(text, sizeof text, "%s", script);
	return asker_ask(a, argv, NULL, question, strcmp(script, "cat >/dev/null") ? 30000 : 100,
	    answer);
}

static void
test_limits(struct tap *t, struct asker *a)
{
	char question[ASKER_QUESTION_MAX];
	struct buf answer = { 0 };

	memset(question, 'q', sizeof question);
	is_num(t, ask(a, "cat", span_of(question, sizeof question - 1), &answer), 0,
	    "longest question");
	is_num(t, (long long)answer.n, (long long)sizeof question - 1, "  answered");
	is_num(t, ask(a, "cat", span_of(question, sizeof question), &answer), -1, "longer");
	is_num(t, ask(a, "cat", span_of("a\0b", 3), &answer), -1, "with NUL");
	is_num(t, ask(a, "cat", span_str(""), &answer), 0, "empty one");
	is_num(t, ask(a, "exit 9", span_str("x"), &answer), 0, "the program stays");
	asker_close(a);
	is_num(t, ask(a, "exit 9", span_str("x"), &answer), -1, "until it is let go");
	buf_free(&answer);
}

/* Those that fail leave no process behind: there is one at most, whatever it does. */
static void
test_children(struct tap *t, struct asker *a)
{
	struct buf answer = { 0 };
	int n = 0;

	while (wait(NULL) > 0)
		continue;	/* of the tests before */
	for (int i = 0; i < 5; i++) {
		is_num(t, ask(a, i % 2 ? "exit 0" : "exec sleep 1000 >/dev/null <&-", span_str("x"),
		    &answer), -1, "no answer");
		asker_close(a);
	}
	is_num(t, ask(a, "cat", span_str("x"), &answer), 0, "the next one answers");
	asker_close(a);
	while (wait(NULL) > 0)
		n++;
	is_num(t, n, 1, "and is the only one that was not waited for");
	buf_free(&answer);
}

/* A program that has ended meanwhile is no reason not to answer. */
static void
test_again(struct tap *t, struct asker *a)
{
	const char *once = "head -c 2 >/dev/null; printf 'yes\\0'";
	struct buf answer = { 0 };
	siginfo_t info;

	is_num(t, ask(a, once, span_str("x"), &answer), 0, "answers once");
	ok(t, waitid(P_PID, (id_t)a->pid, &info, WEXITED | WNOWAIT) == 0, "  and has ended");
	is_num(t, ask(a, once, span_str("y"), &answer), 0, "another is asked");
	is(t, buf_span(&answer), span_str("yes"), "  and answers");
	(void)waitid(P_PID, (id_t)a->pid, &info, WEXITED | WNOWAIT);
	is_num(t, ask(a, "exit 0", span_str("z"), &answer), -1, "another that cannot");
	ok(t, !a->running, "  is let go");
	buf_free(&answer);
}

static int
answer_yes(void *data, struct span question, struct buf *answer)
{
	(void)data, (void)question;
	buf_adds(answer, "yes");
	return 0;
}

/* The program's side, asked `asked` by somebody who does not go away.  What it ends with. */
static int
serve(const char *asked, size_t n)
{
	struct asker_server s = { .answer = answer_yes, .question = BUF_CAP(10),
		.text = BUF_CAP(10), .idle_ms = 50 };
	int in[2], out[2], status = -1;
	pid_t pid;

	if (pipe(in) == -1 || pipe(out) == -1 || write(in[1], asked, n) != (ssize_t)n ||
	    (pid = fork()) == -1)
		return -1;
	if (pid == 0) {
		if (dup2(in[0], 0) == -1 || dup2(out[1], 1) == -1)
			_exit(9);
		_exit(asker_serve(&s));
	}
	(void)waitpid(pid, &status, 0);
	for (int i = 0; i < 2; i++) {
		(void)close(in[i]);
		(void)close(out[i]);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	struct tap t = { 0 };
	struct buf answer = BUF_CAP(10);
	char missing[] = "/nonesuch";
	char *argv[] = { missing, NULL };
	struct asker a = { 0 };

	sig_ignore(SIGPIPE);
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		is_num(&t, ask(&a, programs[i].script, span_str("question"), &answer),
		    programs[i].rc, programs[i].name);
		if (programs[i].answer)
			is(&t, buf_span(&answer), span_str(programs[i].answer), "  answer");
		ok(&t, a.running == (programs[i].rc == 0), "  kept while it is good");
		asker_close(&a);
	}
	is_num(&t, asker_ask(&a, argv, NULL, span_str("x"), 1000, &answer), -1, "no such program");
	ok(&t, !a.running, "  and no descriptors");
	buf_free(&answer);
	test_limits(&t, &a);
	asker_close(&a);
	test_again(&t, &a);
	is_num(&t, serve("", 0), 0, "never asked: it ends");
	is_num(&t, serve("x", 2), 0, "asked once: it ends later");
	is_num(&t, serve("x", 1), 100, "half a question");
	test_children(&t, &a);
	return done(&t);
}
