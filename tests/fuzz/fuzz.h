/* fuzz - what a fuzz target offers.  Two ways to run one: with the loop in loop.c, part of the
 * tests, or with libFuzzer, as long as one likes:
 *	build/test/fuzz_NAME [-n RUNS] [-s SEED] [FILE...]
 *	clang -fsanitize=fuzzer,address ... tests/fuzz/fuzz_NAME.c
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
