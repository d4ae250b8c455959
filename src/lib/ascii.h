/* ascii - bytes as the mail standards see them, whatever the locale says.
 * Case folding touches A-Z only; bytes above 127 stay as they are. */
#ifndef LIB_ASCII_H
#define LIB_ASCII_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/span.h"

static inline bool
ascii_isdigit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_isalpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_isalnum(char c)
{
	return ascii_isdigit(c) || ascii_isalpha(c);
}

/* 33..126 */
static inline bool
ascii_isgraph(char c)
{
	return c > 32 && c < 127;
}

/* 0..31 and 127 */
static inline bool
ascii_iscntrl(char c)
{
	return (c >= 0 && c < 32) || c == 127;
}

/* Space and tab, the blanks inside a line. */
static inline bool
ascii_isblank(char c)
{
	return c == ' ' || c == '\t';
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Folds n bytes in place. */
void ascii_lower_n(char *p, size_t n);
/* Equal but for case; the same length. */
bool ascii_ieq(struct span a, struct span b);
/* Nothing but ascii_isgraph; true for the empty string. */
bool ascii_all_graph(struct span s);
/* Without spaces and tabs at both ends. */
struct span ascii_trim(struct span s);
/* a starts with prefix but for case. */
bool ascii_istarts(struct span a, struct span prefix);
/* memcmp-like order of the folded bytes, the shorter first. */
int ascii_icmp(struct span a, struct span b);

#endif
