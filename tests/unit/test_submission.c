/* submission: what is added to messages, cut into pieces of any size; who may be the sender. */
#include "smtp/submission.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "scratch.h"
#include "tap.h"

#define ID "Message-ID: <x>\n"
#define DATE "Date: x\n"

/* %d and %m stand for the fields. */
static const struct {
	const char *name, *text, *want;
} rows[] = {
	{ "both are there", DATE ID "\nbody\n", DATE ID "\nbody\n" },
	{ "both are missing", "Subject: x\n\nbody\n", "Subject: x\n%d%m\nbody\n" },
	{ "no Date", ID "\nbody\n", ID "%d\nbody\n" },
	{ "no Message-ID", DATE "\n", DATE "%m\n" },
	{ "any case, blanks", "dATE \t: x\nMESSAGE-id:\n\n", "dATE \t: x\nMESSAGE-id:\n\n" },
	{ "those of the body do not count", "To: x\n\n" DATE ID, "To: x\n%d%m\n" DATE ID },
	{ "folded lines", "To: x\n Date: x\n\tDate: y\n\n", "To: x\n Date: x\n\tDate: y\n%d%m\n" },
	{ "others of the name", "Resent-Date: x\nDates: x\nDat: x\n\n",
	    "Resent-Date: x\nDates: x\nDat: x\n%d%m\n" },
	{ "no empty line", DATE ID, DATE ID },
	{ "no empty line, all missing", "To: x\n", "To: x\n%d%m" },
	{ "empty header", "\nbody\n", "%d%m\nbody\n" },
	{ "nothing at all", "", "%d%m" },
	{ "one empty line", "\n", "%d%m\n" },
	{ "no header", "hello you\n\nbody\n", "%d%m\nhello you\n\nbody\n" },
	{ "begins with a blank", " x\nTo: x\n", "%d%m\n x\nTo: x\n" },
	{ "it ends with a line that is none", DATE "hello you\nx\n", DATE "%m\nhello you\nx\n" },
	{ "nothing missing then", DATE ID "hello you\nx\n", DATE ID "\nhello you\nx\n" },
	{ "a colon in the body line", "a b: c\nTo: x\n\n", "%d%m\na b: c\nTo: x\n\n" },
	{ "an mbox line", "From joe Mon: x\nTo: x\n\n", "From joe Mon: x\nTo: x\n%d%m\n" },
	{ "a colon alone", ": x\n\n", "%d%m\n: x\n\n" },
	{ "bytes above 127", "Subj\xe9: x\n\n", "%d%m\nSubj\xe9: x\n\n" },
};

/* The text that comes out if it goes in by pieces of `step` bytes. */
static void
run(const char *login, const char *text, size_t n, size_t step, struct buf *to)
{
	struct smtpconf conf = { .timeout_ms = 1000 };
	struct session *s = calloc(1, sizeof *s);
	struct incoming *in = calloc(1, sizeof *in);
	struct submission f;
	int fd = open("out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (!s || !in || fd == -1)
		abort();
	s->conf = &conf;
	buf_adds(&s->user, login);
	io_out_init(&in->submit.out, fd, in->submit.buffer, sizeof in->submit.buffer);
	submission_begin(&f, s);
	for (size_t i = 0; i < n; i += step)
		submission_text(&f, in, text + i, n - i < step ? n - i : step);
	submission_end(&f, in);
	submission_free(&f);
	if (io_flush(&in->submit.out) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	buf_reset(to);
	if (io_read_all(fd, to) != IO_OK || in->submit.failed)
		abort();
	(void)close(fd);
	buf_free(&s->user);
	free(s);
	free(in);
}

/* Takes a line that begins so off the front. */
static bool
take_line(struct span *text, const char *begins)
{
	if (!span_starts(*text, span_str(begins)))
		return false;
	*text = span_tail(*text, span_chr(*text, '\n') + 1);
	return true;
}

static bool
is_as(struct span got, const char *want)
{
	for (; *want; want++) {
		if (want[0] == '%') {
			want++;
			if (!take_line(&got, *want == 'd' ? "Date: " :
			    "Message-ID: <20"))
				return false;
			continue;
		}
		if (!got.n || got.p[0] != *want)
			return false;
		got = span_tail(got, 1);
	}
	return got.n == 0;
}

static void
test_name_limit(struct tap *t, struct buf *got)
{
	for (size_t n = SUBMISSION_NAME_MAX - 2; n <= SUBMISSION_NAME_MAX + 1; n++) {
		char text[SUBMISSION_NAME_MAX + 20];

		memset(text, 'x', n);
		memcpy(text + n, ":y\n\n", 4);
		for (size_t step = 1; step <= n + 4; step += 333) {
			run("joe", text, n + 4, step, got);
			ok(t, (got->p[0] == 'D') == (n >= SUBMISSION_NAME_MAX),
			    "a name of %zu bytes in pieces of %zu", n, step);
		}
	}
}

static const struct {
	const char *login, *sender, *force;
	enum reply with_file, without;
} senders[] = {
	{ "", "a@b", NULL, REPLY_OK, REPLY_OK },
	{ "", "a@b", "1", REPLY_OK, REPLY_OK },
	{ "joe", "joe@a.example", NULL, REPLY_OK, REPLY_OK },
	{ "joe", "JOE@A.example", NULL, REPLY_OK, REPLY_OK },
	{ "joe", "x@b.example", NULL, REPLY_OK, REPLY_OK },
	{ "joe", "x@B.EXAMPLE", NULL, REPLY_OK, REPLY_OK },
	{ "joe", "x@c.b.example", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "joe", "x@b.example@c.example", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "joe", "@b.example", NULL, REPLY_OK, REPLY_OK },
	{ "joe", "b.example", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "joe", "ann@a.example", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "joe", "", NULL, REPLY_OK, REPLY_OK },
	{ "joe", "joe", NULL, REPLY_OK, REPLY_OK },
	{ "Joe", "joe@a.example", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "jo", "joe@a.example", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "ann@a.example", "ann@a.example", NULL, REPLY_OK, REPLY_OK },
	{ "ann@a.example", "Ann@a.example", NULL, REPLY_OK, REPLY_OK },
	{ "none", "x@x", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "odd", "x@x", NULL, REPLY_AUTH_NOT_YOURS, REPLY_OK },
	{ "joe", "joe@a.example", "1", REPLY_AUTH_OTHER, REPLY_AUTH_OTHER },
	{ "joe@a.example", "joe@a.example", "1", REPLY_OK, REPLY_OK },
	{ "joe@a.example", "Joe@a.example", "1", REPLY_AUTH_OTHER, REPLY_AUTH_OTHER },
	{ "joe", "", "1", REPLY_AUTH_OTHER, REPLY_AUTH_OTHER },
	{ "joe", "joe@a.example", "0", REPLY_OK, REPLY_OK },
};

static enum reply
ask(size_t i)
{
	struct session *s = calloc(1, sizeof *s);
	enum reply r;

	if (!s)
		abort();
	if (senders[i].force ? setenv("FORCEAUTHMAILFROM", senders[i].force, 1) :
	    unsetenv("FORCEAUTHMAILFROM"))
		abort();
	buf_adds(&s->user, senders[i].login);
	buf_adds(&s->sender, senders[i].sender);
	r = submission_sender(s);
	buf_free(&s->user);
	buf_free(&s->sender);
	free(s);
	return r;
}

static void
test_senders(struct tap *t)
{
	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
		is_num(t, ask(i), senders[i].without, "no submitsenders");
	scratch_file("control/submitsenders", "joe:joe@a.example\n# x\njoe:@b.example\nodd\n"
	    "odd:\nann@a.example:ann2@a.example\n");
	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
		ok(t, ask(i) == senders[i].with_file, "%s as %s", senders[i].login,
		    senders[i].sender);
	if (unlink("control/submitsenders") == -1 || mkdir("control/submitsenders", 0700) == -1)
		abort();
	is_num(t, ask(2), REPLY_CONTROLS, "unreadable submitsenders");
}

int
main(void)
{
	struct scratch scratch;
	struct buf got = { 0 };
	struct tap t = { 0 };

	scratch_enter_home(&scratch);
	scratch_file("control/me", "mx.example\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = strlen(rows[i].text), bad = 0;

		for (size_t step = 1; step <= n + 1; step++) {
			run("joe", rows[i].text, n, step, &got);
			if (!is_as(buf_span(&got), rows[i].want) && !bad) {
				bad = step;
				diag_bytes("got", buf_span(&got));
			}
		}
		ok(&t, !bad, "%s", rows[i].name);
		run("", rows[i].text, n, 7, &got);
		is(&t, buf_span(&got), span_of(rows[i].text, n), "not authenticated");
	}
	test_name_limit(&t, &got);
	test_senders(&t);
	buf_free(&got);
	scratch_leave(&scratch);
	return done(&t);
}
