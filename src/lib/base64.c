/* base64 - bytes as letters. */
#include "lib/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *to, struct span bytes)
{
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t group = (uint32_t)(unsigned char)bytes.p[i] << 16;

		if (left > 1)
			group |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
		if (left > 2)
			group |= (unsigned char)bytes.p[i + 2];
		buf_addc(to, alphabet[group >> 18]);
		buf_addc(to, alphabet[group >> 12 & 63]);
		buf_addc(to, left > 1 ? alphabet[group >> 6 & 63] : '=');
		buf_addc(to, left > 2 ? alphabet[group & 63] : '=');
	}
}

/* -1: not in the alphabet. */
static int
value_of(char c)
{
	const char *at = c ? memchr(alphabet, c, sizeof alphabet - 1) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* Four letters, the last `padding` of them `=`. */
static bool
decode_group(struct buf *to, const char *p, unsigned padding)
{
	uint32_t group = 0;

	for (unsigned i = 0; i < 4 - padding; i++) {
		int v = value_of(p[i]);

		if (v == -1)
			return false;
		group |= (uint32_t)v << (18 - 6 * i);
	}
	if (group & ((UINT32_C(1) << 8 * padding) - 1))
		return false;		/* bits that no byte takes */
	for (unsigned i = 0; i < 3 - padding; i++)
		buf_addc(to, (char)(group >> (16 - 8 * i) & 255));
	return true;
}

bool
base64_decode(struct buf *to, struct span text)
{
	size_t before = to->n;
	bool good = text.n % 4 == 0;

	for (size_t i = 0; good && i < text.n; i += 4) {
		unsigned padding = 0;

		if (i + 4 == text.n && text.p[i + 3] == '=')
			padding = text.p[i + 2] == '=' ? 2 : 1;
		good = decode_group(to, text.p + i, padding);
	}
	if (good && buf_ok(to))
		return true;
	buf_cut(to, before);
	return false;
}
