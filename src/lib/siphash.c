/* siphash - SipHash-2-4. */
#include "lib/siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
little_endian(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static uint64_t
rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void
rounds(struct state *s, int n)
{
	for (; n > 0; n--) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static void
take(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

uint64_t
siphash(const unsigned char key[SIPHASH_KEY], const void *p, size_t n)
{
	const unsigned char *in = p;
	uint64_t k0 = little_endian(key, 8), k1 = little_endian(key + 8, 8);
	struct state s = {
		k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)
	};
	uint64_t length = (uint64_t)n << 56;

	for (; n >= 8; in += 8, n -= 8)
		take(&s, little_endian(in, 8));
	take(&s, length | little_endian(in, n));
	s.v2 ^= 255;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
