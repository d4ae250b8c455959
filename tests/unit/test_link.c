/* link: questions and answers between qmail-smtpd and qmail-spf; each malformed one. */
#include "spf/link.h"

#include <unistd.h>

#include "lib/sys.h"
#include "tap.h"

#define BYTES(s) (s), sizeof(s) - 1

/* A reader that finds these bytes and then the end; the caller closes fds[0]. */
static void
offer(struct io_in *in, char *buffer, size_t size, int fds[2], const char *p, size_t n)
{
	if (sys_pipe(fds) == -1 || io_write_all(fds[1], p, n) == -1)
		_exit(1);
	(void)close(fds[1]);
	io_in_init(in, fds[0], buffer, size);
}

static const struct {
	const char *what, *bytes;
	size_t n;
	enum spf_link_status status;
	enum spf_result result;
	const char *text, *explanation;
} answers[] = {
	{ "pass", BYTES("pass\0pass (x)\0\0"), SPF_LINK_OK, SPF_PASS, "pass (x)", "" },
	{ "fail", BYTES("fail\0f\0why not\0"), SPF_LINK_OK, SPF_FAIL, "f", "why not" },
	{ "controls", BYTES("controls\0\0\0"), SPF_LINK_CONTROLS, 0, NULL, NULL },
	{ "nothing", BYTES(""), SPF_LINK_BAD, 0, NULL, NULL },
	{ "no word", BYTES("\0a\0b\0"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "unknown word", BYTES("passed\0a\0b\0"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "cut in the word", BYTES("pass"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "cut in the text", BYTES("pass\0a"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "cut before the explanation", BYTES("pass\0a\0"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "cut in the explanation", BYTES("pass\0a\0b"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "LF in the text", BYTES("pass\0a\nb\0\0"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "CR in the explanation", BYTES("fail\0a\0b\r\0"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "above ASCII", BYTES("fail\0a\xe9\0b\0"), SPF_LINK_BAD, 0, NULL, NULL },
	{ "DEL", BYTES("fail\0a\0\177\0"), SPF_LINK_BAD, 0, NULL, NULL },
};

static void
test_answers(struct tap *t)
{
	struct buf text = { 0 }, explanation = { 0 };

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		enum spf_result result = SPF_RESULTS;
		struct io_in in;
		char buffer[8];
		int fds[2];

		offer(&in, buffer, sizeof buffer, fds, answers[i].bytes, answers[i].n);
		is_num(t, spf_link_hear(&in, &result, &text, &explanation), answers[i].status,
		    answers[i].what);
		if (answers[i].status == SPF_LINK_OK) {
			is_num(t, result, answers[i].result, "  result");
			is(t, buf_span(&text), span_str(answers[i].text), "  text");
			is(t, buf_span(&explanation), span_str(answers[i].explanation),
			    "  explanation");
		}
		(void)close(fds[0]);
	}
	buf_free(&text);
	buf_free(&explanation);
}

/* Through a pipe and back; the writer cuts, the reader refuses what is longer. */
static void
test_questions(struct tap *t)
{
	static char long_text[SPF_FIELD_MAX + 2];
	struct spf_question q = { .ip = span_str("192.0.2.1"), .helo = span_str("mx"),
		.sender = span_str(""), .receiver = span_of("a\0b", 3) }, heard;
	struct buf fields = { 0 };
	struct io_out out;
	struct io_in in;
	char out_buffer[16], in_buffer[16];
	int fds[2];

	memset(long_text, 'x', sizeof long_text);
	if (sys_pipe(fds) == -1)
		_exit(1);
	io_out_init(&out, fds[1], out_buffer, sizeof out_buffer);
	io_in_init(&in, fds[0], in_buffer, sizeof in_buffer);
	ok(t, spf_link_ask(&out, &q) == 0, "a question is asked");
	is_num(t, spf_link_listen(&in, &fields, &heard), SPF_LINK_OK, "and heard");
	is(t, heard.ip, q.ip, "  IP");
	is(t, heard.helo, q.helo, "  HELO");
	is(t, heard.sender, q.sender, "  sender");
	is(t, heard.receiver, span_str("a"), "  receiver, up to a NUL");
	q.helo = span_of(long_text, SPF_FIELD_MAX + 1);
	ok(t, spf_link_ask(&out, &q) == 0, "a long one is asked");
	is_num(t, spf_link_listen(&in, &fields, &heard), SPF_LINK_OK, "and heard");
	is_num(t, (long long)heard.helo.n, (long long)SPF_FIELD_MAX, "  but cut");
	long_text[SPF_FIELD_MAX + 1] = '\0';
	ok(t, io_write_all(fds[1], long_text, sizeof long_text) == 0, "one too long");
	is_num(t, spf_link_listen(&in, &fields, &heard), SPF_LINK_BAD, "is refused");
	ok(t, io_write_all(fds[1], "1\0002\0", 4) == 0, "one of two fields");
	(void)close(fds[1]);
	is_num(t, spf_link_listen(&in, &fields, &heard), SPF_LINK_BAD, "is refused");
	is_num(t, spf_link_listen(&in, &fields, &heard), SPF_LINK_END, "then comes the end");
	(void)close(fds[0]);
	buf_free(&fields);
}

int
main(void)
{
	struct tap t = { 0 };

	test_answers(&t);
	test_questions(&t);
	return done(&t);
}
