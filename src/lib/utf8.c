/* utf8 - is it text in UTF-8? */
#include "lib/utf8.h"

/* First bytes from..to start a sequence of n bytes whose second byte lies in low..high; the bytes
 * after that lie in 0x80..0xbf.  The narrowed ranges exclude long forms and surrogates. */
static const struct lead {
	unsigned char from, to, n, low, high;
} leads[] = {
	{ 0x00, 0x7f, 1, 0x00, 0x00 },
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf },
	{ 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static const struct lead *
find_lead(unsigned char first)
{
	for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
		if (first >= leads[i].from && first <= leads[i].to)
			return &leads[i];
	return NULL;
}

size_t
utf8_sequence(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	const struct lead *lead = s.n ? find_lead(p[0]) : NULL;

	if (!lead || s.n < lead->n)
		return 0;
	if (lead->n > 1 && (p[1] < lead->low || p[1] > lead->high))
		return 0;
	for (size_t i = 2; i < lead->n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return lead->n;
}

bool
utf8_valid(struct span s)
{
	while (s.n) {
		size_t n = utf8_sequence(s);

		if (!n)
			return false;
		s = span_tail(s, n);
	}
	return true;
}
