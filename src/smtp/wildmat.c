/* wildmat - shell-style patterns over whole addresses. */
#include "smtp/wildmat.h"

/* Bytes of the element at the front of a pattern that is not empty; 0: malformed. */
static size_t
element(struct span p)
{
	size_t i = 1;

	if (p.p[0] == '\\')
		return p.n > 1 ? 2 : 0;
	if (p.p[0] != '[')
		return 1;
	if (i < p.n && p.p[i] == '^')
		i++;
	if (i < p.n && p.p[i] == ']')	/* the first byte of a class may be one */
		i++;
	while (i < p.n && p.p[i] != ']')
		i++;
	return i < p.n ? i + 1 : 0;
}

static bool
in_class(struct span class, unsigned char c)
{
	bool negated = class.n && class.p[0] == '^', found = false;

	if (negated)
		class = span_tail(class, 1);
	while (class.n) {
		unsigned char low = (unsigned char)class.p[0];
		bool range = class.n > 2 && class.p[1] == '-';

		found = found || (c >= low && c <= (range ? (unsigned char)class.p[2] : low));
		class = span_tail(class, range ? 3 : 1);
	}
	return found != negated;
}

static bool
element_fits(struct span e, char c)
{
	switch (e.p[0]) {
	case '?':
		return true;
	case '\\':
		return e.p[1] == c;
	case '[':
		return in_class(span_of(e.p + 1, e.n - 2), (unsigned char)c);
	default:
		return e.p[0] == c;
	}
}

bool
wildmat_is_pattern(struct span pattern)
{
	while (pattern.n) {
		size_t n = element(pattern);

		if (!n)
			return false;
		pattern = span_tail(pattern, n);
	}
	return true;
}

/* Only the last star is ever tried again: what an earlier one has taken is never worth less. */
bool
wildmat_match(struct span pattern, struct span text)
{
	struct span after_star = { NULL, 0 }, tried = { NULL, 0 };
	bool star = false;

	while (text.n || pattern.n) {
		size_t n = pattern.n ? element(pattern) : 0;

		if (n && pattern.p[0] == '*') {
			pattern = after_star = span_tail(pattern, 1);
			tried = text;
			star = true;
		} else if (n && text.n && element_fits(span_head(pattern, n), text.p[0])) {
			pattern = span_tail(pattern, n);
			text = span_tail(text, 1);
		} else if (star && tried.n) {
			tried = text = span_tail(tried, 1);
			pattern = after_star;
		} else {
			return false;
		}
	}
	return true;
}
