/* What qmail-spf and qmail-smtpd read from each other: no more than their limits, only printable
 * answers, and what one end writes the other understands.  Input: the bytes, `~` for a NUL. */
#include "rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/io.h"
#include "spf/link.h"

const char *const fuzz_words[] = {
	"~", "pass~", "fail~", "permerror~", "controls~~~", "fail (x) client-ip=192.0.2.1;~", "~~",
	"192.0.2.1~h~u@a.ex~me~", "\n", "\177", NULL
};

static void
check_text(const struct buf *b)
{
	promise(b->n <= SPF_FIELD_MAX);
	for (size_t i = 0; i < b->n; i++)
		promise(b->p[i] >= 32 && b->p[i] < 127);
}

static void
check_answers(struct span bytes)
{
	struct buf text = { 0 }, explanation = { 0 };
	enum spf_result result;
	struct io_in in;
	char buffer[64];

	io_in_init(&in, rig_file(0, bytes), buffer, sizeof buffer);
	while (spf_link_hear(&in, &result, &text, &explanation) == SPF_LINK_OK) {
		promise(result < SPF_RESULTS);
		check_text(&text);
		check_text(&explanation);
	}
	buf_free(&text);
	buf_free(&explanation);
}

/* A question that was heard is asked again, and heard as the same. */
static void
check_again(const struct spf_question *q)
{
	struct spf_question heard;
	struct buf fields = { 0 };
	char buffer[64];
	struct io_out out;
	struct io_in in;
	int fd = rig_file(1, span_str(""));

	io_out_init(&out, fd, buffer, sizeof buffer);
	promise(spf_link_ask(&out, q) == 0);
	if (lseek(fd, 0, SEEK_SET) == -1)
		abort();
	io_in_init(&in, fd, buffer, sizeof buffer);
	promise(spf_link_listen(&in, &fields, &heard) == SPF_LINK_OK);
	promise(span_eq(heard.ip, q->ip) && span_eq(heard.helo, q->helo) &&
	    span_eq(heard.sender, q->sender) && span_eq(heard.receiver, q->receiver));
	buf_free(&fields);
}

static void
check_questions(struct span bytes)
{
	struct buf fields = { 0 };
	struct spf_question q;
	struct io_in in;
	char buffer[64];

	io_in_init(&in, rig_file(0, bytes), buffer, sizeof buffer);
	while (spf_link_listen(&in, &fields, &q) == SPF_LINK_OK)
		check_again(&q);
	buf_free(&fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf bytes = { 0 };

	rig_nuls(&bytes, rig_input(p, n), '~');
	check_answers(buf_span(&bytes));
	check_questions(buf_span(&bytes));
	buf_free(&bytes);
	return 0;
}
