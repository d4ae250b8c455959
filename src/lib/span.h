/* span - a run of bytes owned by somebody else.  Not NUL-terminated, may hold any byte. */
#ifndef LIB_SPAN_H
#define LIB_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *p;		/* may be NULL only if n is 0 */
	size_t n;
};

static inline struct span
span_of(const char *p, size_t n)
{
	return (struct span){ p, n };
}

/* The bytes of a C string without its NUL; NULL gives the empty span. */
static inline struct span
span_str(const char *s)
{
	return (struct span){ s, s ? strlen(s) : 0 };
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* Index of the first (span_chr) or last (span_rchr) byte c; s.n if there is none. */
static inline size_t
span_chr(struct span s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

static inline size_t
span_rchr(struct span s, char c)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return s.n;
}

/* The first n bytes (span_head) or all but them (span_tail); n above s.n counts as s.n. */
static inline struct span
span_head(struct span s, size_t n)
{
	return (struct span){ s.p, n < s.n ? n : s.n };
}

static inline struct span
span_tail(struct span s, size_t n)
{
	if (n >= s.n)
		return (struct span){ s.p ? s.p + s.n : NULL, 0 };
	return (struct span){ s.p + n, s.n - n };
}

#endif
