/* siphash: the example of the paper's appendix, and neighbours of it. */
#include "lib/siphash.h"

#include "tap.h"

int
main(void)
{
	struct tap t = { 0 };
	unsigned char key[SIPHASH_KEY], text[64];
	/* Of the vectors that its authors publish: input 00 01 02 ... of this length. */
	static const struct {
		size_t n;
		uint64_t hash;
	} rows[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
	};

	for (unsigned i = 0; i < sizeof text; i++)
		text[i] = (unsigned char)i;
	for (unsigned i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(&t, siphash(key, text, rows[i].n) == rows[i].hash, "%zu bytes", rows[i].n);
	key[0] ^= 1;
	ok(&t, siphash(key, text, 8) != rows[3].hash, "another key");
	return done(&t);
}
