/* num - text to numbers and back, and sums that cannot wrap. */
#include "lib/num.h"

#include "lib/ascii.h"

enum num_status
num_parse_u64(const char *p, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	bool range = false;

	if (!len)
		return NUM_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)p[i] - '0';

		if (!ascii_isdigit(p[i]))
			return NUM_SYNTAX;
		if (range || digit > max || v > (max - digit) / 10)
			range = true;
		else
			v = v * 10 + digit;
	}
	if (range)
		return NUM_RANGE;
	*out = v;
	return NUM_OK;
}

size_t
num_lead_u64(struct span s, uint64_t max, uint64_t *out)
{
	size_t n = 0;

	while (n < s.n && ascii_isdigit(s.p[n]))
		n++;
	if (n && num_parse_u64(s.p, n, max, out) != NUM_OK)
		*out = max;
	return n;
}

size_t
num_format(char *out, uint64_t v)
{
	char text[NUM_U64_SIZE];
	size_t at = sizeof text, n;

	do
		text[--at] = (char)('0' + v % 10);
	while (v /= 10);
	n = sizeof text - at;
	memcpy(out, text + at, n);
	out[n] = '\0';
	return n;
}

bool
num_add(size_t a, size_t b, size_t *out)
{
	return __builtin_add_overflow(a, b, out);
}

bool
num_mul(size_t a, size_t b, size_t *out)
{
	return __builtin_mul_overflow(a, b, out);
}

uint64_t
num_isqrt(uint64_t v)
{
	uint64_t root = 0;

	for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= v)
			root |= bit;
	return root;
}
