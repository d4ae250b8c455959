/* ere - may the C library see this regular expression? */
#include "mail/ere.h"

#include "lib/ascii.h"
#include "lib/num.h"

/* The upper bound of the interval at the front of s, behind its brace; at least 1. */
static size_t
interval(struct span s, size_t max)
{
	uint64_t low = 1, high = 0;
	size_t digits = num_lead_u64(s, max + 1, &low);

	s = span_tail(s, digits);
	if (s.n && s.p[0] == ',')
		(void)num_lead_u64(span_tail(s, 1), max + 1, &high);
	if (high > low)
		low = high;
	return low ? (size_t)low : 1;
}

const char *
ere_excess(struct span expression, size_t max)
{
	size_t size = expression.n;

	for (size_t i = 0; i < expression.n && size <= max; i++) {
		if (expression.p[i] == '{')
			size *= interval(span_tail(expression, i + 1), max);
		if (expression.p[i] != '\\')
			continue;
		if (++i < expression.n && ascii_isdigit(expression.p[i]))
			return "back-references are not supported";
	}
	return size > max ? ERE_EXCESS : NULL;
}
