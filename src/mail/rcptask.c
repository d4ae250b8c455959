/* rcptask - what qmail-smtpd asks qmail-chkuser, and the answer. */
#include "mail/rcptask.h"

#include "lib/num.h"
#include "mail/addr5321.h"

_Static_assert(RCPTASK_QUESTION_MAX >= 1 + 4 + 1 + ADDR5321_MAX, "an address must fit");

void
rcptask_put(struct buf *to, const struct rcptask *q)
{
	buf_addc(to, (char)q->mode);
	buf_addnum(to, q->percent);
	buf_addc(to, ' ');
	buf_addspan(to, q->address);
}

int
rcptask_get(struct span text, struct rcptask *q)
{
	size_t space = span_chr(text, ' ');
	struct span percent = span_tail(span_head(text, space), 1);
	uint64_t value;

	if (!text.n || (text.p[0] != RCPTASK_ALWAYS && text.p[0] != RCPTASK_DOMAIN) ||
	    num_parse_u64(percent.p, percent.n, RCPTASK_PERCENT_MAX, &value) != NUM_OK)
		return -1;
	q->mode = (enum rcptask_mode)text.p[0];
	q->percent = (unsigned)value;
	q->address = span_tail(text, space + 1);
	return q->address.n == 0 || q->address.n > ADDR5321_MAX ||
	    span_chr(q->address, '\0') < q->address.n ? -1 : 0;
}

enum rcptask_answer
rcptask_answer(char c)
{
	switch (c) {
	case RCPTASK_EXISTS:
	case RCPTASK_ANY:
	case RCPTASK_NONE:
	case RCPTASK_FULL:
		return (enum rcptask_answer)c;
	default:
		return RCPTASK_TROUBLE;
	}
}
