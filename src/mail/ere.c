/* ere - may the C library see this regular expression? */
#include "mail/ere.h"

#include <stdbool.h>
#include <string.h>

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

/* How many bytes the bracket expression at the front of s has. */
static size_t
bracket(struct span s)
{
	size_t i = 1;

	i += i < s.n && s.p[i] == '^';
	i += i < s.n && s.p[i] == ']';
	while (i < s.n && s.p[i] != ']') {
		const bool class = s.p[i] == '[' && i + 1 < s.n && memchr(":.=", s.p[i + 1], 3);
		const char kind = class ? s.p[i + 1] : '\0';

		if (class)
			for (i += 2; i + 1 < s.n && (s.p[i] != kind || s.p[i + 1] != ']'); i++)
				;
		i += class ? 2 : 1;
	}
	return i < s.n ? i + 1 : s.n;
}

/* How many bytes behind its brace the interval at the front of s has, the closing one included;
 * 0: it is none. */
static size_t
interval_rest(struct span s)
{
	size_t i = 0;

	while (i < s.n && (ascii_isdigit(s.p[i]) || s.p[i] == ','))
		i++;
	return i < s.n && s.p[i] == '}' ? i + 1 : 0;
}

/* The size of what the C library makes of it.  glibc turns `a+` into `aa*`: in `a++++`, and in
 * groups of groups that repeat, each one doubles what is before it. */
static bool
grows_beyond(struct span s, size_t max)
{
	size_t outer[ERE_DEPTH_MAX], depth = 0, size = 0, last = 0, times;

	for (size_t i = 0; i < s.n; i++) {
		times = 0;
		switch (s.p[i]) {
		case '(':
			if (depth == ERE_DEPTH_MAX)
				return true;
			outer[depth++] = size;
			size = last = 0;
			continue;
		case ')':
			last = size + 1;
			size = (depth ? outer[--depth] : 0) + last;
			break;
		case '+':
			times = 2;
			break;
		case '{':
			times = interval(span_tail(s, i + 1), max);
			i += interval_rest(span_tail(s, i + 1));
			break;
		case '*':
		case '?':
			times = 1;
			break;
		case '[':
			i += bracket(span_tail(s, i)) - 1;
			size += last = 1;
			break;
		default:
			i += s.p[i] == '\\';
			size += last = 1;
			break;
		}
		if (times) {
			size += last * (times - 1);
			last *= times;
		}
		if (size > max)
			return true;
	}
	return false;
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
	return size > max || grows_beyond(expression, 2 * max) ? ERE_EXCESS : NULL;
}
