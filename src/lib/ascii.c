/* ascii - bytes as the mail standards see them, whatever the locale says. */
#include "lib/ascii.h"

void
ascii_lower_n(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = ascii_lower(p[i]);
}

int
ascii_icmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)ascii_lower(a.p[i]);
		unsigned char y = (unsigned char)ascii_lower(b.p[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

bool
ascii_ieq(struct span a, struct span b)
{
	return a.n == b.n && ascii_icmp(a, b) == 0;
}

bool
ascii_istarts(struct span a, struct span prefix)
{
	return a.n >= prefix.n && ascii_icmp(span_head(a, prefix.n), prefix) == 0;
}

bool
ascii_all_graph(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_isgraph(s.p[i]))
			return false;
	return true;
}

struct span
ascii_trim(struct span s)
{
	while (s.n && ascii_isblank(s.p[0]))
		s = span_tail(s, 1);
	while (s.n && ascii_isblank(s.p[s.n - 1]))
		s.n--;
	return s;
}
