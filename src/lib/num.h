/* num - text to numbers and back, and sums that cannot wrap. */
#ifndef LIB_NUM_H
#define LIB_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"

#define NUM_U64_SIZE 21		/* digits of the largest uint64_t and a NUL */

enum num_status { NUM_OK, NUM_SYNTAX, NUM_RANGE };

/* The whole text must be decimal digits, at least one; the value at most max.
 * NUM_SYNTAX wins over NUM_RANGE.  *out is set only for NUM_OK. */
MUST_CHECK enum num_status num_parse_u64(const char *p, size_t len, uint64_t max, uint64_t *out);

/* Leading decimal digits, as control files use them: returns how many there were (0: *out is
 * unchanged) and stores the value, cut to max. */
size_t num_lead_u64(struct span s, uint64_t max, uint64_t *out);

/* Decimal, NUL-terminated; out has NUM_U64_SIZE bytes.  Returns the length without NUL. */
size_t num_format(char *out, uint64_t v);

/* true = overflow, *out then meaningless. */
MUST_CHECK bool num_add(size_t a, size_t b, size_t *out);
MUST_CHECK bool num_mul(size_t a, size_t b, size_t *out);

/* Integer square root, rounded down. */
uint64_t num_isqrt(uint64_t v);

#endif
