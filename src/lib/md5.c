/* md5 - the digest of RFC 1321 and the keyed one of RFC 2104. */
#include "lib/md5.h"

#include <string.h>

#include "lib/sys.h"

/* floor(2^32 * |sin(i + 1)|), RFC 1321, 3.4. */
static const uint32_t sines[MD5_BLOCK] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391,
};
static const unsigned char turns[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 },
};

static uint32_t
turn(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static uint32_t
word_at(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* What step i mixes in, and which word of the block it takes. */
static uint32_t
mix(unsigned i, const uint32_t s[4], unsigned *word)
{
	switch (i / 16) {
	case 0:
		*word = i;
		return (s[1] & s[2]) | (~s[1] & s[3]);
	case 1:
		*word = (5 * i + 1) % 16;
		return (s[3] & s[1]) | (~s[3] & s[2]);
	case 2:
		*word = (3 * i + 5) % 16;
		return s[1] ^ s[2] ^ s[3];
	default:
		*word = 7 * i % 16;
		return s[2] ^ (s[1] | ~s[3]);
	}
}

static void
take_block(uint32_t state[4], const unsigned char *block)
{
	uint32_t s[4];

	memcpy(s, state, sizeof s);
	for (unsigned i = 0; i < MD5_BLOCK; i++) {
		unsigned word;
		uint32_t f = mix(i, s, &word);

		f += s[0] + sines[i] + word_at(block + 4 * word);
		s[0] = s[3];
		s[3] = s[2];
		s[2] = s[1];
		s[1] += turn(f, turns[i / 16][i % 4]);
	}
	for (unsigned i = 0; i < 4; i++)
		state[i] += s[i];
	sys_wipe(s, sizeof s);
}

void
md5_begin(struct md5 *m)
{
	*m = (struct md5){ .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
}

void
md5_add(struct md5 *m, struct span bytes)
{
	while (bytes.n) {
		size_t at = m->bytes % MD5_BLOCK;
		size_t n = MD5_BLOCK - at < bytes.n ? MD5_BLOCK - at : bytes.n;

		memcpy(m->block + at, bytes.p, n);
		m->bytes += n;
		if (at + n == MD5_BLOCK)
			take_block(m->state, m->block);
		bytes = span_tail(bytes, n);
	}
}

void
md5_end(struct md5 *m, unsigned char digest[MD5_SIZE])
{
	static const char padding[MD5_BLOCK] = { (char)0x80 };
	uint64_t bits = m->bytes * 8;
	size_t at = m->bytes % MD5_BLOCK;
	char length[8];

	for (unsigned i = 0; i < sizeof length; i++)
		length[i] = (char)(bits >> 8 * i & 255);
	md5_add(m, span_of(padding, at < 56 ? 56 - at : 120 - at));
	md5_add(m, span_of(length, sizeof length));
	for (unsigned i = 0; i < MD5_SIZE; i++)
		digest[i] = (unsigned char)(m->state[i / 4] >> 8 * (i % 4) & 255);
	sys_wipe(m, sizeof *m);
}

static struct span
digest_span(const unsigned char digest[MD5_SIZE])
{
	return span_of((const char *)digest, MD5_SIZE);
}

void
md5_hmac(struct span key, struct span text, unsigned char digest[MD5_SIZE])
{
	unsigned char short_key[MD5_SIZE];
	char inner[MD5_BLOCK], outer[MD5_BLOCK];
	struct md5 m;

	if (key.n > MD5_BLOCK) {
		md5_begin(&m);
		md5_add(&m, key);
		md5_end(&m, short_key);
		key = digest_span(short_key);
	}
	for (size_t i = 0; i < MD5_BLOCK; i++) {
		unsigned char k = i < key.n ? (unsigned char)key.p[i] : 0;

		inner[i] = (char)(k ^ 0x36);
		outer[i] = (char)(k ^ 0x5c);
	}
	md5_begin(&m);
	md5_add(&m, span_of(inner, sizeof inner));
	md5_add(&m, text);
	md5_end(&m, digest);
	md5_begin(&m);
	md5_add(&m, span_of(outer, sizeof outer));
	md5_add(&m, digest_span(digest));
	md5_end(&m, digest);
	sys_wipe(short_key, sizeof short_key);
	sys_wipe(inner, sizeof inner);
	sys_wipe(outer, sizeof outer);
}

void
md5_hex(const unsigned char digest[MD5_SIZE], char hex[MD5_HEX_SIZE])
{
	for (unsigned i = 0; i < MD5_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	hex[2 * MD5_SIZE] = '\0';
}
