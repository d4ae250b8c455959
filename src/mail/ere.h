/* ere - may the C library see this regular expression?  Matching POSIX extended expressions without
 * back-references takes time in proportion to the lengths of both, expression and text, if
 * repetitions `{n,m}` count as often as they say; and glibc needs memory for `+` as if what is
 * before it stood there twice.  That is what is bounded here. */
#ifndef MAIL_ERE_H
#define MAIL_ERE_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/span.h"

#define ERE_DEPTH_MAX 32	/* groups in each other */
#define ERE_EXCESS "too long, or too many repetitions"

/* NULL, or why not: longer than max bytes, counted so (twice that with every `+`), with more groups
 * in each other than ERE_DEPTH_MAX, or with a back-reference.  Whether it is well-formed is for
 * regcomp(3) to say. */
MUST_CHECK const char *ere_excess(struct span expression, size_t max);

#endif
