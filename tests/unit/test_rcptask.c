/* rcptask: questions and answers. */
#include "mail/rcptask.h"

#include "mail/addr5321.h"
#include "tap.h"

static const struct {
	const char *text;
	int rc;
	unsigned percent;
	const char *address;
} questions[] = {
	{ "A0 a@b", 0, 0, "a@b" },
	{ "D90 a@b", 0, 90, "a@b" },
	{ "A1000 a b@c", 0, 1000, "a b@c" },
	{ "A1001 a@b", -1, 0, "" },
	{ "A99999999999999999999 a@b", -1, 0, "" },
	{ "A a@b", -1, 0, "" },
	{ "A-1 a@b", -1, 0, "" },
	{ "A1x a@b", -1, 0, "" },
	{ "A1", -1, 0, "" },
	{ "A1 ", -1, 0, "" },
	{ "a1 a@b", -1, 0, "" },
	{ "", -1, 0, "" },
};

static void
test_length(struct tap *t, size_t n, int rc)
{
	char address[ADDR5321_MAX + 1];
	struct rcptask q = { RCPTASK_ALWAYS, RCPTASK_PERCENT_MAX, span_of(address, n) }, got;
	struct buf text = { 0 };

	memset(address, 'x', sizeof address);
	rcptask_put(&text, &q);
	is_num(t, rcptask_get(buf_span(&text), &got), rc, "address of some length");
	ok(t, rc == -1 || text.n <= RCPTASK_QUESTION_MAX, "  fits");
	buf_free(&text);
}

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		struct rcptask q = { 0 };
		struct buf again = { 0 };
		int rc = rcptask_get(span_str(questions[i].text), &q);

		is_num(&t, rc, questions[i].rc, questions[i].text);
		if (rc == -1)
			continue;
		is_num(&t, q.percent, questions[i].percent, "  percent");
		is(&t, q.address, span_str(questions[i].address), "  address");
		rcptask_put(&again, &q);
		is(&t, buf_span(&again), span_str(questions[i].text), "  and back");
		buf_free(&again);
	}
	test_length(&t, ADDR5321_MAX - 1, 0);
	test_length(&t, ADDR5321_MAX, 0);
	test_length(&t, ADDR5321_MAX + 1, -1);
	for (int c = 0; c < 256; c++) {
		bool known = c && strchr("EANFT", c);

		is_num(&t, rcptask_answer((char)c), known ? c : RCPTASK_TROUBLE, "an answer");
	}
	return done(&t);
}
