/* fuzz - what a fuzz target offers.  Two ways to run one: with the loop in loop.c, which needs no
 * more than a C compiler, or with libFuzzer, which run builds and calls:
 *	build/test/fuzz_NAME [-n RUNS] [-s SEED] [FILE...]
 *	build/fuzz/bin/NAME [FILE...]
 * An input that breaks a promise ends in abort(3); it then becomes a row of a unit test. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* One input, any bytes.  Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Pieces of the language that is read, NULL at the end: the loop puts inputs together from them. */
extern const char *const fuzz_words[];

#endif
