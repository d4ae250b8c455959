/* utf8 - is it text in UTF-8?  (RFC 3629: shortest forms only, no surrogates, up to U+10FFFF) */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/span.h"

/* Length in bytes (1 to 4) of the well-formed sequence at the start of s; 0: there is none. */
size_t utf8_sequence(struct span s);
/* All of it well-formed; the empty span is. */
bool utf8_valid(struct span s);

#endif
