/* siphash - SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012):
 * 64 bits that nobody can predict who does not know the key. */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16

uint64_t siphash(const unsigned char key[SIPHASH_KEY], const void *p, size_t n);

#endif
